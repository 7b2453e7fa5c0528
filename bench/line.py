"""A line of ready runs, made at once and worked off by a worker: what throughput and growth are measured by."""

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, or_, select
from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.core.ids import new_id
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.service import JobDraft, create_job
from app.ops.capacity import live_slots
from app.ops.kinds import job_kinds
from app.queue.dispatch import make_dispatcher
from app.runs.models import Run, in_state
from app.runs.states import RunState, Trigger
from bench.installation import Installation

LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Line:
    """Runs that were made ready at one moment."""

    created_at: datetime
    length: int


def make_job(place: Installation, kind: KindName) -> UUID:
    """A job whose runs do nothing."""
    definition = {
        KindName.WORKFLOW: {"steps": [{"name": "Ask", "method": "GET", "url": place.url}]},
        KindName.CODE: {"function": "do_nothing", "arguments": {}},
    }[kind]
    draft = JobDraft(f"Nothing, as {kind.value}", kind, definition)
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        return create_job(session, actor=place.actor, kinds=job_kinds(place.settings), draft=draft, now=now)


def add_ready_runs(session: Session, job: Job, length: int, *, now: datetime) -> None:
    """As if so many people had asked for the job at once."""
    values = {
        "organization_id": job.organization_id, "job_id": job.id, "job_name": job.name, "kind": job.kind,
        "definition": job.definition, "tries": job.tries, "retry_delay_seconds": job.retry_delay_seconds,
        "retry_backoff": job.retry_backoff, "time_limit_seconds": job.time_limit_seconds,
        "trigger": Trigger.MANUAL.value, "due_at": now, "state": RunState.READY.value, "attempt": 0, "token": 0,
        "queue": job.queue or job.kind, "ready_at": now, "created_at": now,
    }  # fmt: skip
    session.execute(insert(Run), [{**values, "id": new_id()} for _ in range(length)])


def put_in_line(place: Installation, job_id: UUID, length: int) -> Line:
    """So many ready runs that nobody has hinted at."""
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        add_ready_runs(session, session.get_one(Job, job_id), length, now=now)
    return Line(now, length)


def work_off(place: Installation, line: Line) -> float:
    """Hint at the first of them, wait until the last has ended, and say how many seconds that took the worker."""
    make_dispatcher(place.settings, place.database, DatabaseClock(), live_slots=live_slots).dispatch()
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not is_over(place):
        if time.monotonic() > give_up:
            raise SystemExit("not all runs ended in time")
        time.sleep(LOOK_SECONDS)
    return seconds_of(place, line)


def is_over(place: Installation) -> bool:
    """Whether nothing waits or runs. Answered by an index, not to disturb what is measured."""
    unfinished = or_(in_state(RunState.READY), in_state(RunState.RUNNING))
    with place.database.reading() as session:
        return session.scalar(select(Run.id).where(unfinished).limit(1)) is None


def seconds_of(place: Installation, line: Line) -> float:
    """From the start of the first run to the end of the last, by the database's clock."""
    with place.database.reading() as session:
        began, ended, ok = func.min(Run.started_at), func.max(Run.finished_at), Run.state == RunState.SUCCEEDED.value
        query = select(began, ended, func.count().filter(ok)).where(Run.created_at == line.created_at)
        first, last, succeeded = session.execute(query).one()
        if succeeded != line.length:
            raise SystemExit(f"only {succeeded} of {line.length} runs succeeded")
        return float((last - first).total_seconds())
