"""Figures as CSV: exact numbers, and no formulas that somebody wrote into a name."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from app.core.ids import new_id
from app.syncs.csv_text import HEADINGS, csv_lines
from app.syncs.figures import Level, Metric
from app.syncs.series import FigureRow

CONNECTION = new_id()


def cells(name: str = "Autumn", value: str = "11.97") -> dict[str, str]:
    row = FigureRow(CONNECTION, date(2026, 11, 19), "120", name, Decimal(value), "EUR", ("sampled", "truncated"))
    lines = csv_lines([row], level=Level.CAMPAIGN, metric=Metric.SPEND, connections={CONNECTION: "=Acme"})
    heading, line = csv.reader(io.StringIO("".join(lines), newline=""))
    return dict(zip(heading, line, strict=True))


def test_has_all_there_is_to_a_figure() -> None:
    found = cells()

    assert tuple(found) == HEADINGS
    assert list(found.values()) == [
        "2026-11-19", "'=Acme", "campaign", "120", "Autumn", "spend", "11.97", "EUR", "sampled truncated"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_name_never_is_a_formula(name: str) -> None:
    assert cells(name)["name"].startswith("'")


def test_a_negative_number_stays_a_number() -> None:
    assert cells(value="-0.000001")["value"] == "-0.000001"
