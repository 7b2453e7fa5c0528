"""Jobs, schedules and runs: a valid row from one call."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.policies import Backoff, RetryPolicy
from app.runs import ledger, planner
from app.runs.models import Run
from app.runs.states import Trigger
from app.schedules.models import Gap, Schedule
from app.schedules.policies import GapReason
from app.tenants.access import Actor
from app.tenants.models import Organization
from app.tenants.roles import Role

THREE_TRIES = RetryPolicy(3, 5, Backoff.FIXED)
LONG_AGO = datetime.fromisoformat("2027-01-01T00:00:00+00:00")


def make_organization(session: Session, name: str = "Acme") -> UUID:
    organization = Organization(name=name, timezone="UTC", created_at=LONG_AGO)
    session.add(organization)
    session.flush()
    return organization.id


def actor_in(organization_id: UUID, role: Role = Role.OWNER) -> Actor:
    return Actor(organization_id, role, "ana@example.com")


def make_job(
    session: Session,
    organization_id: UUID,
    *,
    name: str = "Nightly sync",
    retry: RetryPolicy = THREE_TRIES,
    kind: KindName = KindName.CODE,
    **definition: Any,
) -> Job:
    job = Job(
        organization_id=organization_id,
        name=name,
        kind=kind.value,
        definition={"ends": "succeeded", **definition},
        tries=retry.tries,
        retry_delay_seconds=retry.delay_seconds,
        retry_backoff=retry.backoff.value,
        when_lost=retry.when_lost.value,
        time_limit_seconds=60,
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )
    session.add(job)
    session.flush()
    return job


def make_workflow(session: Session, organization_id: UUID, name: str = "Tell the warehouse") -> Job:
    """A call with a secret in its address and one in a header, as it was stored before headers were sealed."""
    step = {"name": "Call", "url": "https://hooks.example.com/sync?key=s3cr3t", "method": "GET"}
    header = {"name": "Authorization", "value": "Bearer secret-1"}
    job = make_job(session, organization_id, name=name, kind=KindName.WORKFLOW)
    job.definition = {"steps": [{**step, "headers": [header]}]}
    return job


def make_schedule(session: Session, job: Job, **columns: Any) -> Schedule:
    values: dict[str, Any] = {
        "name": f"Schedule {new_id().hex[-6:]}",
        "cron": "*/5 * * * *",
        "timezone": "UTC",
        "spread_key": "k",
        "clock_change": "once",
        "overlap": "skip",
        "missed": "latest",
        "missed_max_age_seconds": 86_400,
        "enabled": True,
        "next_run_at": LONG_AGO,
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
    }
    schedule = Schedule(organization_id=job.organization_id, job_id=job.id, **(values | columns))
    session.add(schedule)
    session.flush()
    return schedule


def make_gap(
    session: Session,
    schedule: Schedule,
    first: datetime,
    last: datetime,
    *,
    slots: int = 1,
    reason: GapReason = GapReason.SCHEDULER_DOWN,
) -> None:
    """Slots that nobody executed."""
    gap = Gap(
        organization_id=schedule.organization_id, schedule_id=schedule.id, first_slot_at=first, last_slot_at=last,
        slots=slots, reason=reason.value, at=last,
    )  # fmt: skip
    session.add(gap)
    session.flush()


def make_run(session: Session, job: Job, *, now: datetime, **request: Any) -> UUID:
    """A ready run."""
    made = planner.request_for(job, trigger=Trigger.MANUAL, due_at=now, **request)
    run_id = ledger.open_run(session, made, now=now)
    assert run_id is not None
    return run_id


def load_run(session: Session, run_id: UUID) -> Run:
    """The run as it stands in the database now."""
    session.expire_all()
    return session.get_one(Run, run_id)
