"""Fire times against Debian cron's own rule, minute by minute, around every clock change that matters."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schedules.cron import CronInvalid, parse_cron
from app.schedules.fire_times import Rhythm, count_fires, fire_times, last_fire
from app.schedules.zones import find_zone
from tests.unit.schedules.cron_oracle import CronJob, walk
from tests.unit.schedules.cron_texts import random_cron

YEARS = {
    **dict.fromkeys(
        [
            "America/New_York",
            "Europe/London",
            "Europe/Berlin",
            "Australia/Lord_Howe",
            "Africa/Cairo",
            "America/Santiago",
            "Africa/Casablanca",
            "America/St_Johns",
            "Pacific/Chatham",
            "Antarctica/Troll",
        ],
        (2024, 2030),
    ),
    "America/Sao_Paulo": (2017, 2018),
    "Pacific/Apia": (2011, 2011),
    # Its clocks jump by exactly three hours, the longest that cron still takes for summer time, or just no more.
    "Antarctica/Casey": (2018, 2023),
}
PER_CHANGE = 60
HALF_WINDOW = timedelta(hours=36)
HOUR = timedelta(hours=1)


def changes(name: str, first: int, last: int) -> Iterator[datetime]:
    """The hours in which the zone's distance from UTC changes; found by looking at every one of them."""
    zone = ZoneInfo(name)
    at = datetime(first, 1, 1, tzinfo=UTC)
    while at.year <= last:
        if at.astimezone(zone).utcoffset() != (at + HOUR).astimezone(zone).utcoffset():
            yield at + HOUR
        at += HOUR


def valid_crons(random: Random, count: int, hours: tuple[int, ...]) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        text = random_cron(random, hours=hours)
        try:
            parse_cron(text)
        except CronInvalid:
            continue
        found.append(text)
    return found


def disagreements(name: str, texts: list[str], start: datetime, stop: datetime) -> list[str]:
    """The texts for which Belfry and cron differ in (start + 12 h, stop]; cron needs a run-up to have a past."""
    jobs = [CronJob(text) for text in texts]
    walk(jobs, ZoneInfo(name), start, stop)
    begin, zone, wrong = start + timedelta(hours=12), find_zone(name), []
    for job in jobs:
        expected = [at for at in job.started if at > begin]
        rhythm = Rhythm(parse_cron(job.text), zone)
        answers = (
            fire_times(rhythm, after=begin, until=stop, limit=10_000),
            count_fires(rhythm, after=begin, until=stop),
            last_fire(rhythm, after=begin, until=stop),
        )
        if answers != (expected, len(expected), expected[-1] if expected else None):
            wrong.append(job.text)
    return wrong


@pytest.mark.parametrize("name", YEARS)
def test_fires_exactly_when_debian_cron_would_around_every_clock_change(name: str) -> None:
    random, wrong, windows = Random(name), [], 0

    for change in changes(name, *YEARS[name]):
        wall = change.astimezone(ZoneInfo(name))
        texts = valid_crons(random, PER_CHANGE, (wall.hour, (wall.hour - 1) % 24, (wall.hour - 2) % 24, 0))
        found = disagreements(name, texts, change - HALF_WINDOW - timedelta(hours=12), change + HALF_WINDOW)
        wrong += [(change.isoformat(), text) for text in found]
        windows += 1

    assert windows > 0
    assert wrong == []


def test_fires_exactly_when_debian_cron_would_where_clocks_never_change() -> None:
    texts = valid_crons(Random("control"), 400, (0,))

    wrong = disagreements("Asia/Kolkata", texts, datetime(2026, 2, 26, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))

    assert wrong == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    name=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Antarctica/Casey"]),
    minute=st.integers(0, 14 * 365 * 24 * 60),
)
def test_fires_exactly_when_debian_cron_would_at_any_time(seed: int, name: str, minute: int) -> None:
    start = datetime(2018, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    texts = valid_crons(Random(seed), 20, ())

    wrong = disagreements(name, texts, start, start + timedelta(hours=48))

    assert wrong == []
