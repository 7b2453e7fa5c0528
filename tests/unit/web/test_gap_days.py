"""The last thirty days of the canary, as a picture and as a sentence."""

from datetime import datetime, timedelta

from app.ops.canary.gaps import GapCause, GapRow
from app.web.pictures.gap_days import draw_days
from app.web.pictures.strip import Strip
from tests.fakes.clock import utc

NOW = utc("2027-01-31 12:00")
LONG_AGO = NOW - timedelta(days=90)


def gap(began: str, ended: str | None) -> GapRow:
    return GapRow(utc(began), None if ended is None else utc(ended), GapCause.OFF)


def paths(strip: Strip) -> dict[tuple[str, str], str]:
    return {(shape.state, shape.form.value): shape.path for shape in strip.shapes}


def draw(*gaps: GapRow, since: datetime | None = LONG_AGO) -> Strip:
    return draw_days(gaps, since=since, now=NOW)


def test_is_thirty_good_days_without_a_gap() -> None:
    strip = draw()

    assert strip.label == "No gap."
    assert paths(strip)["succeeded", "solid"].count("z") == 30
    assert ("failed", "solid") not in paths(strip)


def test_shows_no_day_before_somebody_looked() -> None:
    assert paths(draw(since=None))["empty", "solid"].count("z") == 30

    found = paths(draw(since=NOW - timedelta(hours=30)))

    assert (found["empty", "solid"].count("z"), found["succeeded", "solid"].count("z")) == (28, 2)


def test_shows_how_much_of_a_day_was_lost() -> None:
    strip = draw(gap("2027-01-31 00:00", "2027-01-31 11:45"))

    # The last day began at noon of the day before: nearly half of it was lost.
    assert "M145 24V12h4V24z" in paths(strip)["failed", "solid"]
    assert paths(strip)["succeeded", "solid"].count("z") == 29
    assert strip.label == "1 gap, 11 h 45 min in all, the latest ended 15 min ago."


def test_shows_the_shortest_gap() -> None:
    assert "M145 24V20h4V24z" in paths(draw(gap("2027-01-31 11:00", "2027-01-31 11:04")))["failed", "solid"]


def test_counts_a_gap_of_several_days_in_each_of_them_and_one_that_goes_on_up_to_now() -> None:
    strip = draw(gap("2027-01-28 12:00", None), gap("2027-01-01 11:00", "2027-01-01 13:00"))

    assert paths(strip)["failed", "tint"].count("z") == 4
    assert strip.label == "2 gaps, 3 d 2 h in all, one goes on."
