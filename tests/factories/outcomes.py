"""Runs that have come to something: started, logged, ended. Built on work.py by the ledger's own moves."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.jobs.kinds.base import Level
from app.jobs.models import Job
from app.runs import ledger, logs
from app.runs.facts import AttemptEnd, Started
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState
from tests.factories.work import make_run


def start_run(session: Session, run_id: UUID, *, at: datetime) -> Started:
    started = ledger.start(session, run_id=run_id, worker="worker-1:42", lease_until=at + timedelta(minutes=1), now=at)
    assert started is not None
    return started


def make_running(session: Session, job: Job, *, now: datetime, lines: list[str] | None = None, **request: Any) -> UUID:
    """A run that a worker holds, with what it has logged so far."""
    run_id = make_run(session, job, now=now, **request)
    started = start_run(session, run_id, at=now)
    written = [logs.NewLine(text, Level.INFO, now) for text in lines or []]
    logs.append_lines(session, organization_id=job.organization_id, run_id=run_id, token=started.token, lines=written)
    return run_id


def make_succeeded(
    session: Session, job: Job, *, now: datetime, result: dict[str, Any] | None = None, **request: Any
) -> UUID:
    """A run that went well in three seconds."""
    run_id = make_running(session, job, now=now, **request)
    end = AttemptEnd(AttemptState.SUCCEEDED, result=result)
    assert ledger.succeed(session, run_id=run_id, token=1, end=end, now=now + timedelta(seconds=3))
    return run_id


def make_failed(
    session: Session,
    job: Job,
    *,
    now: datetime,
    error: str = "The shop did not answer.",
    detail: str = "",
    seconds: float = 3,
    **request: Any,
) -> UUID:
    """A run in the dead letter, which failed after so many seconds."""
    run_id = make_running(session, job, now=now, **request)
    end = AttemptEnd(AttemptState.FAILED, error, detail or None)
    then = Next(RunState.FAILED, Reason.ERROR)
    ended_at = now + timedelta(seconds=seconds)
    assert ledger.put_down(session, run_id=run_id, token=1, end=end, then=then, now=ended_at)
    return run_id


def make_waiting_retry(session: Session, job: Job, *, now: datetime, ready_at: datetime) -> UUID:
    """A run whose first try failed."""
    run_id = make_running(session, job, now=now)
    end = AttemptEnd(AttemptState.FAILED, "The shop did not answer.")
    then = Next(RunState.WAITING_RETRY, Reason.ERROR, ready_at)
    assert ledger.put_down(session, run_id=run_id, token=1, end=end, then=then, now=now)
    return run_id
