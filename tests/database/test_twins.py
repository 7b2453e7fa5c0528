"""Schedules of one job that mean the same, of every kind of rhythm and however they are written."""

from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.schedules.fire_times import ClockChange, rhythm
from app.schedules.models import Schedule
from app.schedules.service import ScheduleDraft, create_schedule
from app.schedules.twins import find_twins
from tests.factories.work import actor_in, make_job, make_organization
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
ZONE = "Europe/Berlin"


@pytest.fixture
def job(session: Session) -> Job:
    return make_job(session, make_organization(session))


def twins(session: Session, job: Job, cron: str, **said: Any) -> list[str]:
    when = rhythm(cron, timezone=ZONE, **said)
    found = find_twins(session, organization_id=job.organization_id, job_id=job.id, when=when)
    return [twin.name for twin in found]


def make(session: Session, job: Job, cron: str, **said: Any) -> None:
    draft = ScheduleDraft("First", job.id, cron, timezone=ZONE, spread_key="k", **said)
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
]
DIFFERENT = [
    ("0 0 * * *", "0 0 * * *", {"clock_change": ClockChange.SKIP}),
    ("0 0 * * *", "0 0 * * *", {"starts_at": utc("2027-06-01 00:00")}),
    ("0 0 * * *", "0 0 1 * *", {}),
    ("every 90 minutes from 2027-01-06 08:00", "every 90 minutes from 2027-01-06 08:01", {}),
    ("0 0 * * *", "every 1 day from 2027-01-06 00:00", {}),
]


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
