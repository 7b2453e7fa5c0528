"""Schedules of one job that mean the same, of every kind of rhythm and however they are written."""

from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.schedules.fire_times import ClockChange, rhythm
from app.schedules.models import Schedule
from app.schedules.service import ScheduleDraft, create_schedule
from app.schedules.twins import find_twins, twin_note
from tests.factories.work import actor_in, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
ZONE = "Europe/Berlin"


def twins(session: Session, job: Job, cron: str, timezone: str = ZONE, **said: Any) -> list[str]:
    when = rhythm(cron, timezone=timezone, **said)
    found = find_twins(session, organization_id=job.organization_id, job_id=job.id, when=when, now=NOW)
    return [twin.name for twin in found]


def make(session: Session, job: Job, cron: str, timezone: str = ZONE, **said: Any) -> None:
    draft = ScheduleDraft("First", job.id, cron, timezone=timezone, spread_key="k", **said)
    create_schedule(session, actor=actor_in(job.organization_id), draft=draft, now=NOW)
    session.flush()


ALIKE = [
    ("0 0 * * *", "@daily", {}),
    ("0 9 * * 1-5", "0 9 * * MON,TUE,WED,THU,FRI", {}),
    ("0 9 * * *\n0 18 * * 6", "0 18 * * 6\n0 9 * * *", {}),
    ("every 90 minutes from 2027-01-06 08:00", "EVERY 90 minutes  from 2027-01-06 08:00", {}),
    ("at 2027-02-01 08:00\nat 2027-03-01 08:00", "at 2027-03-01 08:00\nat 2027-02-01 08:00", {}),
    ("*/30 0 12 * * *", "0,30 0 12 * * *", {"has_seconds": True}),
    ("*/15 * * * *", "*/15 * * * *", {"clock_change": ClockChange.SKIP}),
    # Times that do not meet a change of the clocks know no rule either.
    ("0 0 * * *", "0 0 * * *", {"clock_change": ClockChange.SKIP}),
    # The same days and hours in other lines, and lines that say nothing new.
    ("0 8,9 * * *", "0 8 * * *\n0 9 * * *", {}),
    ("0 8 * * 1-5\n0 8 * * 0,6", "0 8 * * *", {}),
    ("0 8 * * *\n0 8 * * 1", "0 8 * * *", {}),
    ("*/20 * * * *", "0,20 * * * *\n40 * * * *", {}),
    # Other kinds of rhythm for the same times.
    ("0 0 * * *", "every 1 day from 2027-01-06 00:00", {}),
    ("0 0 * * 3", "every 7 days from 2027-01-06 00:00", {}),
    ("every 1 week from 2027-01-06 00:00", "every 7 days from 2026-12-30 00:00", {}),
    ("every 60 minutes from 2027-01-06 08:00", "every 1 hour from 2027-01-06 08:00", {}),
    # What is past does not count.
    ("0 0 * * *", "0 0 * * *", {"starts_at": utc("2026-06-01 00:00")}),
    ("every 90 minutes from 2026-12-01 08:00", "every 90 minutes from 2026-12-01 05:00", {}),
    ("at 2027-01-05 08:00\nat 2027-02-01 08:00", "at 2027-02-01 08:00", {}),
    # H by its key.
    ("H 4 * * *", "H 4 * * *", {"spread_key": "k"}),
]
DIFFERENT = [
    ("30 2 * * *", "30 2 * * *", {"clock_change": ClockChange.SKIP}),
    ("0 0 * * *", "0 0 * * *", {"starts_at": utc("2027-06-01 00:00")}),
    ("0 0 * * *", "0 0 * * *", {"ends_at": utc("2027-06-01 00:00")}),
    ("0 0 * * *", "0 0 * * *", {"ends_at": utc("2028-09-01 00:00")}),
    ("0 0 * * *", "0 0 * * *", {"ends_at": utc("2027-01-01 00:00")}),
    ("0 0 * * *", "0 0 1 * *", {}),
    ("0 0 * * *", "0 0 1-30 * *", {}),
    ("*/5 * * * *", "*/5 * * 1-11 *", {}),
    ("*/5 * * * *", "*/5 * * 1-11 *\n*/5 * 1-30 12 *", {}),
    ("every 90 minutes from 2027-01-06 08:00", "every 90 minutes from 2027-01-06 08:01", {}),
    ("every 60 minutes from 2027-01-06 08:00", "every 90 minutes from 2027-01-06 08:00", {}),
    ("at 2027-02-01 08:00", "at 2027-02-01 08:00\nat 2027-03-01 08:00", {}),
    ("H 4 * * *", "H 4 * * *", {"spread_key": "another"}),
    ("@manually", "@manually", {}),
]

# Other places, and times that are the same for a part of the year alone.
PART_OF_A_YEAR = [
    ("0 2 * * *", "America/New_York", "0 7 * * *", "UTC"),
    ("0 6 * * *", "Europe/Berlin", "0 5 * * *", "UTC"),
    ("0 * * * *", "Europe/Berlin", "0 * * * *\n30 2 1 7 *", "Europe/Berlin"),
    ("30 2 * * *", "Europe/Berlin", "30 2 * * *", "Africa/Lagos"),
    ("0 12 * * *", "Europe/Berlin", "every 24 hours from 2027-01-01 12:00", "Europe/Berlin"),
    ("0 12 * * *", "Africa/Casablanca", "0 12 * * *", "Africa/Lagos"),
]


@pytest.mark.parametrize(("stored", "zone", "asked", "timezone"), PART_OF_A_YEAR)
@pytest.mark.parametrize("turned", [False, True])
def test_are_not_those_that_differ_after_a_clock_change(
    session: Session, job: Job, stored: str, zone: str, asked: str, timezone: str, turned: bool
) -> None:
    pairs = [(stored, zone), (asked, timezone)]
    one, other = reversed(pairs) if turned else pairs
    make(session, job, *one)

    assert twins(session, job, *other) == []


def test_are_found_in_another_zone_whose_clocks_change_at_the_same_moment(session: Session, job: Job) -> None:
    make(session, job, "30 2 * * *", "Europe/Berlin")

    assert twins(session, job, "30 1 * * *", "Europe/London") == ["First"]


@pytest.mark.parametrize(("stored", "asked", "said"), ALIKE)
def test_are_found_however_they_are_written(
    session: Session, job: Job, stored: str, asked: str, said: dict[str, Any]
) -> None:
    # A line that runs by the time that passes follows no rule, so there the rule makes no difference.
    make(session, job, stored, **{name: value for name, value in said.items() if name == "has_seconds"})

    assert twins(session, job, asked, **said) == ["First"]


@pytest.mark.parametrize(("stored", "asked", "said"), DIFFERENT)
def test_are_not_those_that_fire_at_other_times(
    session: Session, job: Job, stored: str, asked: str, said: dict[str, Any]
) -> None:
    make(session, job, stored)

    assert twins(session, job, asked, **said) == []


def test_are_found_among_those_that_an_earlier_version_saved(session: Session, job: Job) -> None:
    make(session, job, "0 0 * * *")
    session.execute(update(Schedule).values(minutes=None))

    assert twins(session, job, "@daily") == ["First"]


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("US/Eastern", "America/New_York"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("europe/berlin", "Europe/Berlin"),
        ("Etc/UTC", "UTC"),
        ("Zulu", "UTC"),
        # Other places with the same clocks.
        ("Europe/Berlin", "Europe/Oslo"),
    ],
)
def test_are_found_whatever_their_zone_is_called(
    session: Session, job: Job, stored: str, asked: str, enabled: bool
) -> None:
    make(session, job, "30 2 * * *", stored, enabled=enabled)

    assert twins(session, job, "30 2 * * *", asked) == ["First"]


def test_are_not_found_once_they_are_over(session: Session, job: Job) -> None:
    make(session, job, "at 2027-01-05 14:00")

    def found(now: datetime) -> int:
        when = rhythm("at 2027-01-05 14:00", timezone=ZONE)
        here = {"organization_id": job.organization_id, "job_id": job.id}
        return len(find_twins(session, **here, when=when, now=now))

    assert (found(utc("2027-01-05 12:59")), found(utc("2027-01-05 13:00"))) == (1, 0)


def test_that_are_behind_are_found(session: Session, job: Job) -> None:
    make(session, job, "0 * * * *")
    session.execute(update(Schedule).values(next_run_at=NOW - timedelta(days=3)))

    assert twins(session, job, "@hourly") == ["First"]


def test_of_a_job_with_very_many_are_told_without_counting_all(session: Session, job: Job) -> None:
    for number in range(30):
        make_schedule(session, job, cron="0 8,9 * * *", name=f"Copy {number:02}", next_run_at=NOW)

    found = find_twins(
        session, organization_id=job.organization_id, job_id=job.id, now=NOW,
        when=rhythm("0 8 * * *\n0 9 * * *", timezone="UTC"),
    )  # fmt: skip

    assert len(found) == 20
    assert "and many more" in str(twin_note(found))


def test_are_found_among_very_many_that_share_the_next_time(session: Session, job: Job) -> None:
    upcoming = utc("2027-01-06 09:00")
    other_months = [months for size in range(8) for months in combinations(range(3, 11), size)][:218]
    for number, months in enumerate(other_months):
        cron = f"0 9 * {','.join(map(str, (1, 2, *months, 11, 12)))} *"
        make_schedule(session, job, cron=cron, name=f"A {number:03}", next_run_at=upcoming)
    make_schedule(session, job, cron="0 9 * * *", name="Z on", next_run_at=upcoming)
    make_schedule(session, job, cron="0 9 * * *", name="Z off", next_run_at=upcoming, enabled=False)

    assert twins(session, job, "0 9 * * *", "UTC") == ["Z off", "Z on"]
    for months in other_months[::40]:
        cron = f"0 9 * {','.join(map(str, (1, 2, *months, 11, 12)))} *"
        assert twins(session, job, cron, "UTC") == [f"A {other_months.index(months):03}"]


def test_one_that_cannot_be_read_is_no_twin_and_hides_none(session: Session, job: Job) -> None:
    make_schedule(session, job, cron="nonsense", name="Broken", next_run_at=NOW)
    make(session, job, "0 0 * * *")

    assert twins(session, job, "@daily") == ["First"]
