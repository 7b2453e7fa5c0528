"""Weeks and months of a series, and what they are compared with."""

from datetime import date
from decimal import Decimal

import pytest

from app.syncs.days import DayRange
from app.syncs.periods import Grain, percent_change, previous, split


def between(first: str, last: str) -> DayRange:
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


class TestSplit:
    def test_has_a_piece_for_each_day(self):
        assert len(list(split(between("2026-02-27", "2026-03-02"), Grain.DAY))) == 4

    def test_has_weeks_from_monday_and_parts_at_the_ends(self):
        assert list(split(between("2026-11-05", "2026-11-17"), Grain.WEEK)) == [
            between("2026-11-05", "2026-11-08"),
            between("2026-11-09", "2026-11-15"),
            between("2026-11-16", "2026-11-17"),
        ]

    def test_has_months_over_the_end_of_a_year(self):
        assert list(split(between("2026-12-31", "2027-02-28"), Grain.MONTH)) == [
            between("2026-12-31", "2026-12-31"),
            between("2027-01-01", "2027-01-31"),
            between("2027-02-01", "2027-02-28"),
        ]


class TestPrevious:
    @pytest.mark.parametrize(
        ("days", "before"),
        [
            (("2026-11-10", "2026-11-16"), ("2026-11-03", "2026-11-09")),
            (("2026-11-10", "2026-11-10"), ("2026-11-09", "2026-11-09")),
            (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
            (("2027-01-01", "2027-03-31"), ("2026-10-01", "2026-12-31")),
            (("2026-01-01", "2026-12-31"), ("2025-01-01", "2025-12-31")),
            (("2026-03-01", "2026-03-30"), ("2026-01-30", "2026-02-28")),
        ],
    )
    def test_is_as_long_and_lies_just_before(self, days: tuple[str, str], before: tuple[str, str]):
        assert previous(between(*days)) == between(*before)


class TestPercentChange:
    @pytest.mark.parametrize(
        ("before", "now", "percent"),
        [("100", "150", "50.0"), ("3", "1", "-66.7"), ("-10", "-5", "50.0"), ("0", "5", None)],
    )
    def test_is_of_what_was_before(self, before: str, now: str, percent: str | None):
        assert percent_change(Decimal(before), Decimal(now)) == (None if percent is None else Decimal(percent))
