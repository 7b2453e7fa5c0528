"""What the dialog says about a text: every mistake, every warning and every change of the clocks, word for word."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.errors import Invalid
from app.schedules.fire_times import ClockChange, fire_times, rhythm
from app.schedules.preview import preview_rhythm, preview_text, read_typed
from tests.factories.mistakes import CRON_MISTAKES
from tests.unit.schedules.cron_oracle import CronJob, walk

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# Said behind the message where seconds can be allowed: a choice that this schedule has, beside what is wrong.
OFFER = " Or allow seconds for this schedule."
MISTAKES = {
    **CRON_MISTAKES,
    "0 0 9 * * *": "Seconds are not supported. Remove the first field.",
    "": "Choose when it should run.",
    "0 0 30 2 *": "This never happens: February has no day 30.",
    "0 0 31 4,6,9 *": "This never happens: April, June and September have no day 31.",
    "1-0 * * * *": "1-0 runs backwards. Write 0-1, or 1-59,0.",
    "x" * 100_000: "A cron line has at most 100 characters. Shorten the text.",
    "0 0 * * *\n" * 200: "All lines together have at most 500 characters. Shorten the text.",
    "every 0 minutes": "An interval is at least one minute long. Write every 1 minute, or more.",
    "every 1000000000 minutes": "An interval is at most five years long. Use a smaller number.",
    "at 2020-01-01 08:00": "This time has passed. Choose one that lies ahead.",
}
SURPRISES = {
    "0 0 30 2 1": "Runs on the weekdays alone: February has no 30th.",
    "0 0 29 2 *": "Only in leap years. Next: 29 Feb 2028.",
    "0 0 13 * 5": "Runs on the 13th and also every Friday. Cron joins day and weekday with “or”.",
    "*/7 * * * *": "7 does not divide 60: gaps are 7 min, but 4 min at each full hour.",
    "* * * * *": "1,440 runs a day. Typical run takes 40 s.",
}
CLOCK_CHANGES = {
    ("30 2 * * *", "America/New_York"): ["02:30 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00."],
    ("30 1 * * *", "America/New_York"): [
        "01:30 happens twice on Sun 7 Nov 2027 in New York: runs once, the first time."
    ],
    ("0 2 * * *", "Europe/Berlin"): [
        "02:00 does not exist on Sun 28 Mar 2027 in Berlin: runs at 03:00.",
        "02:00 happens twice on Sun 31 Oct 2027 in Berlin: runs once, the first time.",
    ],
    ("0 2-4 * * *", "America/New_York"): ["14 Mar 2027: the 02:00 run merges with 03:00: 2 runs instead of 3."],
    ("*/30 * * * *", "America/New_York"): ["Keeps its 30-minute spacing: 46 runs on 14 Mar, 50 on 7 Nov."],
    ("30 0 * * *", "Africa/Cairo"): ["00:30 does not exist on Fri 30 Apr 2027 in Cairo: runs at 01:00."],
    ("15 2 * * *", "Australia/Lord_Howe"): ["02:15 does not exist on Sun 3 Oct 2027 in Lord Howe: runs at 02:30."],
    ("30 2 * * *", "Asia/Kolkata"): [],
    ("30 2 * * *", "America/Sao_Paulo"): [],
    ("30 2 * * *", "UTC"): [],
}
CONSEQUENCES = {
    "0 6 * * *": "About 365 runs a year, ~21 s each",
    "0 * * * *": "About 8,760 runs a year, ~21 s each",
    "0 0 1 1 *": "About 1 run a year, ~21 s each",
    "0 0 29 2 *": "Less than one run a year, ~21 s each",
    "@manually": None,
    "0 6 20 11 *": "About 1 run a year, ~21 s each",
    "every 52 weeks from 2028-01-01 08:00": "About 1 run a year, ~21 s each",
    "every 260 weeks from 2028-01-01 08:00": "Less than one run a year, ~21 s each",
    "every 1 days from 2028-01-01 08:00": "About 365 runs a year, ~21 s each",
    "at 2029-01-01 08:00": "1 run, then no more, ~21 s each",
    "at 2027-06-01 08:00\nat 2029-01-01 08:00": "2 runs, then no more, ~21 s each",
}
# Eight expressions in five zones, each from shortly before its clocks change.
TEXTS = (
    *("30 2 * * *", "0 2-4 * * *", "*/30 * * * *", "15 1,2 * * *"),
    *("0 0 * * *", "0 */6 * * *", "*/20 1-3 * * 0", "59 23 * * 5-7"),
)
PLACES = {
    "America/New_York": "2027-03-13T00:00",
    "Europe/Berlin": "2027-10-30T00:00",
    "Australia/Lord_Howe": "2027-10-02T00:00",
    "Africa/Cairo": "2027-04-29T00:00",
    "Asia/Kolkata": "2027-03-13T00:00",
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.items())
def test_every_mistake_has_its_message(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        preview_text(text, timezone="America/New_York", spread_key="", now=NOW, count=5)

    assert caught.value.message.removesuffix(OFFER) == message


def test_a_single_time_that_the_clocks_jump_over_is_refused_where_it_would_be_left_out() -> None:
    said: Any = {"timezone": "America/New_York", "spread_key": "", "now": NOW}

    with pytest.raises(Invalid) as caught:
        read_typed("at 2027-03-14 02:30", clock_change=ClockChange.SKIP, **said)

    assert caught.value.message.startswith("The clocks jump over this time, and by this rule it is left out.")
    assert read_typed("at 2027-03-14 02:30", **said)


@pytest.mark.parametrize(("text", "note"), SURPRISES.items())
def test_every_surprise_is_said(text: str, note: str) -> None:
    when = read_typed(text, timezone="Asia/Kolkata", spread_key="", now=NOW)

    assert preview_rhythm(when, now=NOW, count=5, typical=timedelta(seconds=40)).notes == (note,)


@pytest.mark.parametrize(("where", "notes"), CLOCK_CHANGES.items())
def test_every_change_of_the_clocks_is_said(where: tuple[str, str], notes: list[str]) -> None:
    text, zone = where

    found = preview_text(text, timezone=zone, spread_key="", now=NOW, count=5)

    assert list(found.notes) == notes


@pytest.mark.parametrize(("text", "said"), CONSEQUENCES.items())
def test_what_it_amounts_to_is_said(text: str, said: str | None) -> None:
    when = read_typed(text, timezone="UTC", spread_key="", now=NOW)

    assert preview_rhythm(when, now=NOW, count=5, typical=timedelta(seconds=21)).consequence == said


@pytest.mark.parametrize(
    ("text", "days", "said"),
    [
        ("0 6 * * *", 364, "About 365 runs a year"),
        ("0 6 * * *", 569, "About 365 runs a year"),
        ("0 * * * *", 3_650, "About 8,760 runs a year"),
        ("0 6 1 * *", 400, "About 12 runs a year"),
    ],
)
def test_what_begins_later_is_no_rarer_for_that(text: str, days: int, said: str) -> None:
    when = read_typed(text, timezone="UTC", spread_key="", now=NOW, starts_at=NOW + timedelta(days=days))

    assert preview_rhythm(when, now=NOW, count=5).consequence == said


@pytest.mark.parametrize(
    ("text", "days", "said"),
    [("0 6 * * *", 10, "10 runs, then no more"), ("0 0 1 1 *", 800, "3 runs, then no more"),
     ("0 6 * * *", 800, "About 365 runs a year")],
)  # fmt: skip
def test_what_ends_is_counted_to_its_end(text: str, days: int, said: str) -> None:
    when = read_typed(text, timezone="UTC", spread_key="", now=NOW, ends_at=NOW + timedelta(days=days))

    assert preview_rhythm(when, now=NOW, count=5).consequence == said


@cache
def as_cron_does(zone: str) -> dict[str, list[datetime]]:
    """What Debian cron starts in the two weeks after the place's moment, by expression."""
    now = moment_of(zone)
    jobs = [CronJob(text) for text in TEXTS]
    walk(jobs, ZoneInfo(zone), now - timedelta(hours=12), now + timedelta(days=14))
    return {job.text: [at for at in job.started if at > now] for job in jobs}


def moment_of(zone: str) -> datetime:
    return datetime.fromisoformat(PLACES[zone]).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", PLACES)
@pytest.mark.parametrize("text", TEXTS)
def test_the_next_five_are_those_of_the_scheduler_and_of_cron(text: str, zone: str) -> None:
    now = moment_of(zone)

    shown = preview_text(text, timezone=zone, spread_key="", now=now, count=5).next_runs

    assert list(shown) == as_cron_does(zone)[text][:5]
    assert list(shown) == fire_times(rhythm(text, timezone=zone), after=now, limit=5)
