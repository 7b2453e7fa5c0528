"""The minutes that are kept with a schedule: nothing fires at another one."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.schedules.day_minutes import in_hour_from, minutes_of, read_minutes
from app.schedules.fire_times import fire_times, rhythm
from tests.fakes.clock import utc

# Kathmandu's clocks never change, and are at no full hour from UTC.
ZONE = "Asia/Kathmandu"
NOW = utc("2027-01-05 12:00")
RHYTHMS: dict[str, dict[str, Any]] = {
    "30 2 * * *": {},
    "*/7 9-17 * * 1-5": {},
    "0 9 * * *\n30 11,23 1 * *": {},
    "15 0 12 * * *": {"has_seconds": True},
    "every 3 days from 2027-01-01 08:20": {},
    "every 50 minutes from 2027-01-01 08:20": {},
    "at 2027-01-06 18:00\nat 2027-01-07 00:05": {},
    "H H * * *": {"spread_key": "k"},
    "@manually": {},
}


def named(text: str, **said: Any) -> set[int]:
    kept = read_minutes(minutes_of(rhythm(text, timezone=ZONE, **said)))
    return {minute for minute in range(1440) if kept >> minute & 1}


def shown(at: datetime, text: str, **said: Any) -> int:
    wall = at.astimezone(rhythm(text, timezone=ZONE, **said).zone.tzinfo)
    return wall.hour * 60 + wall.minute


@pytest.mark.parametrize("text", RHYTHMS)
def test_nothing_fires_at_another_minute(text: str) -> None:
    said = RHYTHMS[text]
    found = fire_times(rhythm(text, timezone=ZONE, **said), after=NOW, until=NOW + timedelta(days=60), limit=5_000)

    assert {shown(at, text, **said) for at in found} <= named(text, **said)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("0 9 * * *\n30 11,23 1 * *", {540, 690, 1410}),
        ("every 3 days from 2027-01-01 08:20", {500}),
        ("at 2027-01-06 18:00\nat 2027-01-07 00:05", {1080, 5}),
        ("@manually", set()),
    ],
)
def test_no_other_minute_is_named(text: str, minutes: set[int]) -> None:
    assert named(text) == minutes


def test_an_interval_of_minutes_may_come_round_to_every_one() -> None:
    assert len(named("every 50 minutes from 2027-01-01 08:20")) == 1440


def test_an_hour_goes_on_behind_midnight() -> None:
    kept = read_minutes(minutes_of(rhythm("50 23 * * *\n10 0 * * *", timezone=ZONE)))

    assert in_hour_from(kept, 23 * 60 + 30) == 1 << 20 | 1 << 40
