"""How a schedule may keep out of the way of the clock changes."""

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from app.schedules.change_notes import clock_change_notes
from app.schedules.cron import CronExpression
from app.schedules.cron_fields import CronInvalid
from app.schedules.fire_times import rhythm
from app.schedules.rhythm_text import parse_times
from app.schedules.ways_out import WayOut, way_out
from tests.fakes.clock import utc

NOW = utc("2026-11-21 15:00")


@pytest.mark.parametrize(
    ("cron", "zone", "offered", "clock"),
    [
        ("30 2 * * *", "America/New_York", "30 3 * * *", "03:30"),
        # An hour later would fall into the gap in spring.
        ("30 1 * * *", "America/New_York", "30 0 * * *", "00:30"),
        ("0  2 * * 6,0", "Europe/Berlin", "0  3 * * 6,0", "03:00"),
        ("30 0 * * *", "Africa/Cairo", "30 1 * * *", "01:30"),
        ("15 2 * * *", "Australia/Lord_Howe", "15 3 * * *", "03:15"),
    ],
)
def test_the_nearest_hour_that_every_day_has_once_is_offered(cron: str, zone: str, offered: str, clock: str) -> None:
    found = way_out(rhythm(cron, timezone=zone), now=NOW)

    assert found == WayOut(offered, clock)
    assert clock_change_notes(rhythm(offered, timezone=zone), now=NOW) == []


@pytest.mark.parametrize(
    ("cron", "zone", "offered", "clock"),
    [
        ("30 15 2 * * *", "America/New_York", "30 15 3 * * *", "03:15"),
        ("0  15 1 * * *", "America/New_York", "0  15 0 * * *", "00:15"),
        ("*/10 30 2 * * 1-7", "America/New_York", "*/10 30 3 * * 1-7", "03:30"),
        ("5,35 30 2 * * 7", "Europe/Berlin", "5,35 30 3 * * 7", "03:30"),
    ],
)
def test_of_a_line_with_seconds_another_hour_is_offered(cron: str, zone: str, offered: str, clock: str) -> None:
    found = way_out(rhythm(cron, timezone=zone, has_seconds=True), now=NOW)

    assert found == WayOut(offered, clock)
    assert clock_change_notes(rhythm(offered, timezone=zone, has_seconds=True), now=NOW) == []


@pytest.mark.parametrize(
    "cron",
    ["30 2-4 2 * * *", "0 0,30 2 * * *", "15 30 2,14 * * *", "0 0 2,3 * * *", "0 3 2,3 * * *", "30 15 1-3 * * *"],
)
def test_of_a_line_with_seconds_and_several_times_none_is(cron: str) -> None:
    when = rhythm(cron, timezone="America/New_York", has_seconds=True)

    assert way_out(when, now=NOW) == WayOut("", "")


PARTS = st.sampled_from(["0", "2", "02", "30", "1,2", "2,3", "1-3", "*/2", "*"])


@given(parts=st.tuples(PARTS, PARTS, PARTS), days=st.sampled_from(["* * *", "1 * *", "* * 0,6"]), is_long=st.booleans())
def test_whatever_is_offered_runs_at_the_time_that_is_named_and_is_else_the_same(
    parts: tuple[str, str, str], days: str, is_long: bool
) -> None:
    cron = f"{' '.join(parts if is_long else parts[1:])} {days}"
    try:
        when = rhythm(cron, timezone="Europe/Berlin", has_seconds=is_long)
    except CronInvalid:
        reject()

    found = way_out(when, now=NOW)

    if found is not None and found.cron:
        old, new = (cron_of(text, has_seconds=is_long) for text in (cron, found.cron))
        assert (new.seconds, new.minutes, new.days) == (old.seconds, old.minutes, old.days)
        assert [f"{hour:02}:{minute:02}" for hour in new.hours for minute in new.minutes] == [found.clock]


def cron_of(text: str, *, has_seconds: bool) -> CronExpression:
    found = parse_times(text, has_seconds=has_seconds)
    assert isinstance(found, CronExpression)
    return found


@pytest.mark.parametrize("cron", ["0 2-4 * * *", "30 2 * * *\n0 5 * * *", "at 2027-03-14 02:30", "30 2,14 * * *"])
def test_what_names_several_times_may_only_go_to_utc(cron: str) -> None:
    assert way_out(rhythm(cron, timezone="America/New_York"), now=NOW) == WayOut("", "")


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("30 2 * * *", "Asia/Kolkata"),
        ("30 2 * * *", "UTC"),
        ("0 12 * * *", "America/New_York"),
        # It runs by elapsed time, and every run takes place.
        ("*/30 * * * *", "America/New_York"),
        ("every 90 minutes from 2026-11-21 08:00", "America/New_York"),
        ("@manually", "America/New_York"),
    ],
)
def test_nothing_is_offered_where_nothing_is_lost_or_repeated(cron: str, zone: str) -> None:
    assert way_out(rhythm(cron, timezone=zone), now=NOW) is None
