"""How a schedule may keep out of the way of the clock changes."""

import pytest

from app.schedules.change_notes import clock_change_notes
from app.schedules.fire_times import rhythm
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


@pytest.mark.parametrize("cron", ["30 2-4 2 * * *", "0 0,30 2 * * *", "15 30 2,14 * * *"])
def test_of_a_line_with_seconds_and_several_times_none_is(cron: str) -> None:
    when = rhythm(cron, timezone="America/New_York", has_seconds=True)

    assert way_out(when, now=NOW) == WayOut("", "")


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
