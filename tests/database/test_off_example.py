"""The example of a time in which Belfry was off, against what the planner makes of that time."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.ops.off_example import off_example
from app.runs import planner
from app.runs.models import Run
from app.schedules.fire_times import next_fire, rhythm
from app.schedules.policies import Missed, MissedPolicy
from tests.factories.work import make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
A_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("cron", "policy", "missed", "made_up"),
    [
        ("*/5 * * * *", MissedPolicy(Missed.SKIP, A_DAY), 36, 0),
        ("*/5 * * * *", MissedPolicy(Missed.LATEST, A_DAY), 36, 1),
        ("*/5 * * * *", MissedPolicy(Missed.ALL, A_DAY, 100), 36, 36),
        ("*/15 * * * *", MissedPolicy(Missed.SKIP, A_DAY), 12, 0),
        # Some minute is always just over: that one is merely late.
        ("* * * * *", MissedPolicy(Missed.SKIP, A_DAY), 178, 0),
        ("* * * * *", MissedPolicy(Missed.ALL, A_DAY, 100), 180, 100),
    ],
)
def test_all_that_lies_in_the_time_is_told(cron: str, policy: MissedPolicy, missed: int, made_up: int) -> None:
    found = off_example(rhythm(cron, timezone="UTC"), policy=policy, now=NOW)

    assert found is not None
    assert (found.missed, found.made_up) == (missed, made_up)


@pytest.mark.parametrize("cron", ["*/5 * * * *", "*/15 * * * *", "0 * * * *", "17 * * * *", "30 2 * * *"])
@pytest.mark.parametrize("missed", Missed)
def test_what_is_said_follows_no_minute_and_comes_true(session: Session, job: Job, cron: str, missed: Missed) -> None:
    when, policy = rhythm(cron, timezone="UTC"), MissedPolicy(missed, A_DAY, 100)
    minutes = (timedelta(minutes=minute) for minute in range(3, 15, 4))
    (said,) = {off_example(when, policy=policy, now=NOW + each) for each in minutes}
    assert said is not None
    schedule = make_schedule(
        session, job, cron=cron, next_run_at=next_fire(when, after=said.since), overlap="allow", missed=missed.value,
        missed_limit=100, missed_max_age_seconds=86_400,
    )  # fmt: skip

    planner.tick(session, now=said.until)

    runs = session.scalars(select(Run.slot_at).where(Run.schedule_id == schedule.id)).all()
    assert len(runs) == said.made_up
