"""What a reader hands over is exact, and refused where it cannot be landed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.syncs.figures import (
    LARGEST,
    METRIC_FACTS,
    Entity,
    FetchedWindow,
    Figure,
    FigureInvalid,
    Level,
    Metric,
    Stream,
    exact,
)

DAY = date(2026, 11, 19)
CAMPAIGN = Entity(Level.CAMPAIGN, "120", "Autumn")
CAMPAIGNS = Stream("campaigns", Level.CAMPAIGN, frozenset({Metric.SPEND, Metric.CLICKS}))


class TestExact:
    @pytest.mark.parametrize(
        ("said", "value"),
        [("11.97", "11.97"), ("2000.0", "2000.0"), ("-3", "-3"), ("0.0000005", "0.000000"), ("1e3", "1000"), (7, "7")],
    )
    def test_is_the_number_that_was_written(self, said: str | int, value: str):
        assert exact(said) == Decimal(value)

    def test_rounds_the_noise_of_floats_behind_the_sixth_place(self):
        assert exact("19.989999999999998") == Decimal("19.99")

    @pytest.mark.parametrize(
        "said",
        ["", "NaN", "Infinity", "-inf", "1_000", "1,5", "٣", " 1", "0x1", "1e999", "9" * 50, "9" * 14 + ".1234567"],
    )
    def test_refuses_what_is_no_number(self, said: str):
        with pytest.raises(FigureInvalid):
            exact(said)

    @pytest.mark.parametrize("said", [1.5, True, None])
    def test_refuses_what_is_not_written_as_text(self, said: Any):
        with pytest.raises(FigureInvalid):
            exact(said)


class TestFigure:
    def test_every_metric_says_what_it_is_measured_in(self):
        assert set(METRIC_FACTS) == set(Metric)

    def test_takes_the_largest_number_that_can_be_kept(self):
        assert Figure(DAY, CAMPAIGN, Metric.CLICKS, LARGEST).value == LARGEST

    @pytest.mark.parametrize("value", ["9000000000000.000001", "0.0000001", "NaN", "Infinity"])
    def test_refuses_a_number_that_cannot_be_kept_exactly(self, value: str):
        with pytest.raises(FigureInvalid):
            Figure(DAY, CAMPAIGN, Metric.CLICKS, Decimal(value))

    def test_refuses_a_float(self):
        value: Any = 0.1

        with pytest.raises(FigureInvalid, match="Decimal"):
            Figure(DAY, CAMPAIGN, Metric.CLICKS, value)

    @pytest.mark.parametrize(("metric", "currency"), [(Metric.SPEND, None), (Metric.CLICKS, "EUR")])
    def test_refuses_money_without_a_currency_and_counts_with_one(self, metric: Metric, currency: str | None):
        with pytest.raises(FigureInvalid, match="currency"):
            Figure(DAY, CAMPAIGN, metric, Decimal(1), currency)

    @pytest.mark.parametrize("currency", ["", "eur", "EURO", "€€€", "E1R"])
    def test_refuses_what_is_no_currency(self, currency: str):
        with pytest.raises(FigureInvalid, match="currency"):
            Figure(DAY, CAMPAIGN, Metric.SPEND, Decimal(1), currency)


class TestEntity:
    @pytest.mark.parametrize(
        ("level", "id_"), [(Level.ACCOUNT, "act_1"), (Level.CAMPAIGN, ""), (Level.CHANNEL, "x" * 201)]
    )
    def test_refuses_an_id_that_is_not_of_its_level(self, level: Level, id_: str):
        with pytest.raises(FigureInvalid):
            Entity(level, id_, "")


class TestFetchedWindow:
    def test_takes_figures_of_its_stream_and_days(self):
        assert len(window(clicks()).figures) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"first_day": date(2026, 11, 20)},
            {"first_day": date(2026, 11, 18), "last_day": date(2026, 11, 18)},
            {"last_day": date(2026, 11, 1)},
            {"fetched_at": datetime(2026, 11, 20)},  # noqa: DTZ001 - what is refused
            {"stream": Stream("reach", Level.CAMPAIGN, frozenset({Metric.REACH}))},
            {"stream": Stream("account", Level.ACCOUNT, frozenset({Metric.CLICKS}))},
        ],
    )
    def test_refuses_what_is_not_of_it(self, changes: dict[str, Any]):
        with pytest.raises(FigureInvalid):
            window(clicks(), **changes)

    def test_refuses_money_in_another_currency_than_the_accounts(self):
        with pytest.raises(FigureInvalid, match="EUR"):
            window(Figure(DAY, CAMPAIGN, Metric.SPEND, Decimal(1), "EUR"), currency="USD")


def clicks() -> Figure:
    return Figure(DAY, CAMPAIGN, Metric.CLICKS, Decimal(10))


def window(*figures: Figure, **changes: Any) -> FetchedWindow:
    values: dict[str, Any] = {
        "stream": CAMPAIGNS,
        "first_day": date(2026, 11, 17),
        "last_day": DAY,
        "fetched_at": datetime(2026, 11, 20, 5, tzinfo=UTC),
        "zone": "Europe/Riga",
        "currency": "EUR",
        "api_version": "v26.0",
    }
    return FetchedWindow(figures=figures, **{**values, **changes})
