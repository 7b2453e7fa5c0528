"""Times as bits: the same as fire_times finds one by one, for every kind of rhythm, around clock changes and bounds."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from app.schedules.fire_times import ClockChange, Rhythm, count_fires, fire_times, rhythm
from app.schedules.minute_sets import minute_sets
from tests.fakes.clock import utc

NOW = utc("2026-11-22 08:17")
A_YEAR = timedelta(days=400)
ZONES = (
    "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Nuuk", "Africa/Casablanca",
    "Asia/Kathmandu", "Pacific/Apia",
)  # fmt: skip
PLAIN = (
    "* * * * *", "*/7 * * * *", "30 2 * * *", "0 2,3 * * *", "30 1 * * 0", "15 1,2,3 L * *", "0 0 29 2 *",
    "0 */6 * * 1-5", "0 2 * * *\n*/30 3 * * *", "0 0,23 * * *\n15 2 1 * *\n0 * * * 6", "@manually",
    "every 90 minutes from 2026-11-21 08:00", "every 5 days from 2027-03-09 02:30",
    "every 1 week from 2020-01-01 01:30",
    "at 2027-03-14 02:30\nat 2027-11-07 01:30\nat 2020-01-01 00:00", "every 1 hour from 2027-06-01 00:00",
)  # fmt: skip
SECONDS = (
    "*/20 * * * * *", "*/20 30 2 * * *", "10,40 0 2,3 * * *", "0 0 2 * * *\n30 0 3 * * *",
    "5 */30 1 * * *\n35 15 1 * * *",
)  # fmt: skip


def one_by_one(when: Rhythm, after: datetime, until: datetime) -> dict[int, int]:
    found: dict[int, int] = {}
    zero = after.replace(second=0, microsecond=0)
    for at in fire_times(when, after=after, until=until, limit=200_000):
        minute, second = divmod(int((at - zero).total_seconds()), 60)
        found[second] = found.get(second, 0) | 1 << minute
    return found


def stretches(chance: random.Random) -> Iterator[tuple[datetime, datetime]]:
    for near in ("2027-03-14 07:00", "2027-11-07 06:00", "2027-03-28 01:00", "2027-04-03 15:00", "2028-12-31 23:30"):
        begin = utc(near) - timedelta(seconds=chance.randrange(100_000))
        yield begin, begin + timedelta(seconds=chance.randrange(200_000))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("has_seconds", [False, True])
def test_hold_every_time_and_no_other(zone: str, has_seconds: bool) -> None:
    chance = random.Random(zone)
    for text in SECONDS if has_seconds else PLAIN:
        for after, until in stretches(chance):
            bounds = [None, None, after + timedelta(seconds=chance.randrange(150_000))]
            start, end = chance.choice(bounds), chance.choice(bounds)
            when = rhythm(
                text, timezone=zone, has_seconds=has_seconds, clock_change=chance.choice(list(ClockChange)),
                starts_at=start, ends_at=None if end == start else end,
            )  # fmt: skip

            assert minute_sets(when, after=after, until=until) == one_by_one(when, after, until), (when, after, until)


@pytest.mark.parametrize("zone", ZONES)
def test_hold_as_many_in_a_year_as_are_counted(zone: str) -> None:
    for text in (*PLAIN, *SECONDS):
        when = rhythm(text, timezone=zone, has_seconds=True)

        found = minute_sets(when, after=NOW, until=NOW + A_YEAR)

        assert sum(bits.bit_count() for bits in found.values()) == count_fires(when, after=NOW, until=NOW + A_YEAR)
