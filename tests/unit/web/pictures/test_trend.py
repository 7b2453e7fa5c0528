"""How long runs took, drawn: the usual range, the slowest, and what stands out."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from app.ops.schedule_lengths import ScheduleLengths
from app.runs.outcomes import Outcome
from app.runs.run_lengths import Longest, RunLength
from app.runs.usual import step_of, usual_of
from app.web.pictures.trend import Trend, draw_trend
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")


def lengths(seconds: Sequence[float], failed: Sequence[int] = ()) -> ScheduleLengths:
    """Runs of these lengths, one an hour; those at `failed` came to nothing."""
    runs = tuple(
        RunLength(
            UUID(int=number),
            Outcome.FAILED if number in failed else Outcome.SUCCEEDED,
            NOW - timedelta(hours=len(seconds) - number),
            timedelta(seconds=length),
        )
        for number, length in enumerate(seconds)
    )
    good = [run.took for run in runs if run.outcome is Outcome.SUCCEEDED]
    longest = Longest(max(good), len(good), is_all=True) if good else None
    return ScheduleLengths(runs, usual_of(good), step_of(good), longest)


def drawn(seconds: Sequence[float], failed: Sequence[int] = ()) -> Trend:
    trend = draw_trend(lengths(seconds, failed), zone="UTC", now=NOW)
    assert trend is not None
    return trend


class TestTrend:
    def test_is_not_drawn_before_anything_ended(self) -> None:
        assert draw_trend(lengths([]), zone="UTC", now=NOW) is None

    def test_labels_the_slowest_and_rings_whatever_else_stands_out(self) -> None:
        trend = drawn([60.0] * 20 + [300.0, 60.0, 540.0, 60.0])

        assert [(mark.label, mark.y) for mark in trend.marks] == [("", 61.1), ("9 min", 22.0)]

    def test_says_what_is_usual(self) -> None:
        trend = drawn([240.0] * 10 + [540.0])

        assert trend.label == "How long the last 11 runs took. Typical 4 min, longest in 30 days 9 min."

    def test_draws_the_usual_range_around_its_middle(self) -> None:
        band = drawn([100.0] * 9 + [200.0]).band

        assert band is not None
        assert (band.middle, band.top, band.height) == (66.0, 57.2, 17.6)

    def test_draws_no_range_of_two(self) -> None:
        trend = drawn([60.0, 61.0])

        assert trend.band is None
        assert trend.label.endswith("Longest in 30 days 1 min 1 s.")

    def test_crosses_those_that_failed_and_gives_them_no_ring(self) -> None:
        trend = drawn([60.0, 60.0, 900.0, 60.0], failed=[2])

        assert trend.crosses == ("62.50%",)
        assert "900" not in "".join(mark.label for mark in trend.marks)

    def test_keeps_the_label_inside(self) -> None:
        assert drawn([900.0] + [60.0] * 30).marks[0].anchor == "start"
        assert drawn([60.0] * 30 + [900.0]).marks[0].anchor == "end"

    def test_presses_nobody_to_the_ground_for_one_that_took_an_hour(self) -> None:
        trend = drawn([10.0] * 20 + [3_600.0])

        assert "logarithmic" in trend.note
        assert trend.band is not None
        assert trend.band.middle < 101

    def test_says_since_when_it_takes_longer(self) -> None:
        trend = drawn([18.0] * 15 + [38.0] * 5)

        assert trend.note == "The last five took 38 s, those before 18 s."
