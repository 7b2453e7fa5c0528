"""The writer of run state: guarded updates, each with its event. Leases are in claims.py.

What ends a run from outside stands in interventions.py, slots in slot_writes.py, single statements in steps.py.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Insert, func, insert, literal, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from app.core.db import count_changed
from app.core.ids import new_id
from app.runs.account_turns import key_of
from app.runs.causes import cause_of
from app.runs.facts import ANYTHING, AttemptEnd, RunRequest, Started, Taking, started_from
from app.runs.interventions import cancel, cancel_children, deal_with
from app.runs.models import Attempt, Run, in_state
from app.runs.retries import Next
from app.runs.run_events import note
from app.runs.states import LOSSES, TERMINAL, AttemptState, Reason, RunState
from app.runs.switches import is_open
from app.runs.waits import error_after_wait

# So much of an error is told of a try.
_ERROR_SAID = 300


def open_run(
    session: Session, request: RunRequest, *, now: datetime, state: RunState = RunState.READY,
    reason: Reason | None = None, explanation: str | None = None, ready_at: datetime | None = None,
) -> UUID | None:  # fmt: skip
    """Add a run: ready, waiting for another one, or skipped. None when its slot, request or retry has one already.

    Before `ready_at` it does not start.
    """
    run_id = new_id()
    values = _columns(request) | {
        "id": run_id,
        "state": state.value,
        "reason": reason and reason.value,
        "error": explanation,
        "attempt": 0,
        "token": 0,
        "ready_at": ready_at or now,
        "created_at": now,
        "finished_at": now if state in TERMINAL else None,
    }
    # Asked for by RETURNING: a row count after a refused insert is not told the same way by every driver.
    if session.scalar(_insert_or_ignore(session).values(**values).returning(Run.id)) is None:
        return None
    note(session, request.organization_id, run_id, state.value, now)
    if request.retry_of_run_id is not None:
        deal_with(session, run_id=request.retry_of_run_id, organization_id=request.organization_id, now=now)
    return run_id


def start(
    session: Session, *, run_id: UUID, worker: str, lease_until: datetime, now: datetime, taking: Taking = ANYTHING
) -> Started | None:
    """Move a ready run to running under a new token. None when somebody was faster, or it is not ready or paused."""
    is_ready = Run.state == RunState.READY.value, Run.ready_at <= now
    query = (
        update(Run)
        .where(Run.id == run_id, *is_ready, is_open(), *taking.allows())
        .values(
            state=RunState.RUNNING.value, token=Run.token + 1, attempt=Run.attempt + 1, worker=worker,
            lease_until=lease_until, hinted_at=None, reason=None,
            # Lateness is told by the first try.
            started_at=func.coalesce(Run.started_at, literal(now, Run.started_at.type)),
        )
        .returning(Run)
    )  # fmt: skip
    run = session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if run is None:
        return None
    session.execute(
        insert(Attempt).values(
            run_id=run.id, token=run.token, organization_id=run.organization_id, number=run.attempt,
            state=AttemptState.RUNNING.value, worker=worker, result={}, started_at=now,
        )
    )  # fmt: skip
    note(session, run.organization_id, run.id, "started", now)
    return started_from(run)


def forget_hint(session: Session, *, run_id: UUID) -> None:
    """Let a run that could not be started be hinted at again: its queue was paused, and the hint is used up."""
    query = update(Run).where(Run.id == run_id, Run.state == RunState.READY.value)
    session.execute(query.values(hinted_at=None))


def hold(session: Session, *, run_id: UUID, token: int) -> bool:
    """Keep a run as it is until this is committed. False when it is no longer this attempt's."""
    query = select(Run.id).where(*_held(run_id, token)).with_for_update(key_share=True)
    return session.scalar(query) is not None


def forget_hints(session: Session, *which: ColumnElement[bool]) -> int:
    """Put runs back into line that were called and have not started. The hints that lead to them start nothing now."""
    query = update(Run).where(in_state(RunState.READY), Run.hinted_at.is_not(None), *which)
    return count_changed(session, query.values(hinted_at=None).execution_options(synchronize_session=False))


def extend_lease(session: Session, *, run_id: UUID, token: int, lease_until: datetime) -> bool:
    """Prolong a running attempt's lease. False when the run is no longer this attempt's."""
    query = update(Run).where(*_held(run_id, token)).values(lease_until=lease_until)
    return count_changed(session, query) == 1


def succeed(session: Session, *, run_id: UUID, token: int, end: AttemptEnd, now: datetime) -> bool:
    """End a run well. False when the run is no longer this attempt's: then nothing is written."""
    values = {"state": RunState.SUCCEEDED.value, "finished_at": now, "lease_until": None, "error": None}
    query = update(Run).where(*_held(run_id, token)).values(**values).returning(Run.organization_id)
    return _leave(session, query, run_id, token, end, RunState.SUCCEEDED.value, now)


def put_down(
    session: Session, *, run_id: UUID, token: int, end: AttemptEnd, then: Next, now: datetime, refund: bool = False
) -> bool:
    """End an attempt that did not succeed and move its run on. False when the run is no longer this attempt's.

    `refund` gives the try back: the attempt was ended by us and not by the job. A run that was asked to stop goes
    nowhere: it ends as cancelled.
    """
    values: dict[str, Any] = {
        "state": then.state.value,
        "reason": then.reason and then.reason.value,
        "error": end.error,
        "lease_until": None,
        "hinted_at": None,
        "finished_at": now if then.state in TERMINAL else None,
    }
    if end.error is not None:
        values["cause"] = cause_of(end.error)
    if then.state not in TERMINAL:
        # Its next try is not slow yet.
        values["slow_at"] = None
    if then.ready_at is not None:
        values["ready_at"] = then.ready_at
    if refund:
        values["attempt"] = Run.attempt - 1
    # Asked of the same row that is changed: a request that comes just now is never overlooked.
    goes_on = *_held(run_id, token), Run.cancel_requested_at.is_(None)
    query = update(Run).where(*goes_on).values(**values).returning(Run.organization_id)
    kind = "lost" if then.reason in LOSSES else then.state.value
    if _leave(session, query, run_id, token, end, kind, now, _said_of(end, then, values)):
        return True
    return _end_cancelled(session, run_id, token, end, now)


def note_slow(session: Session, *, run_id: UUID, token: int, now: datetime) -> bool:
    """Write down that an attempt takes longer than its soft limit. False when it is over or was written down."""
    query = update(Run).where(*_held(run_id, token), Run.slow_at.is_(None)).values(slow_at=now)
    organization_id = session.scalars(query.returning(Run.organization_id)).one_or_none()
    if organization_id is None:
        return False
    note(session, organization_id, run_id, "slow", now)
    return True


def suspend(session: Session, *, run_id: UUID, token: int, end: AttemptEnd, now: datetime) -> bool:
    """Let a run wait for those that it started; its try goes on afterwards. False when it is not this attempt's."""
    then = Next(RunState.WAITING, Reason.CHILDREN)
    if not put_down(session, run_id=run_id, token=token, end=end, then=then, now=now, refund=True):
        return False
    # While it waits no worker looks whether somebody asked it to stop.
    asked = select(Run.organization_id, Run.cancel_reason, Run.cancel_words)
    found = session.execute(asked.where(Run.id == run_id, Run.cancel_requested_at.is_not(None))).one_or_none()
    if found is not None:
        reason, words = Reason(found.cancel_reason), found.cancel_words
        tenant = found.organization_id
        cancel(session, run_id=run_id, organization_id=tenant, reason=reason, explanation=words, now=now)
    return True


def make_ready(session: Session, *, run_ids: list[UUID], now: datetime) -> int:
    """Let runs start whose wait is over: for their next try, or for other runs. Returns how many did."""
    is_due = (Run.state == RunState.WAITING_RETRY.value) & (Run.ready_at <= now)
    query = (
        update(Run)
        .where(Run.id.in_(run_ids), or_(is_due, Run.state == RunState.WAITING.value))
        .values(state=RunState.READY.value, reason=null(), error=error_after_wait())
        .returning(Run.id, Run.organization_id)
    )
    moved = session.execute(query).all()
    for run_id, organization_id in moved:
        note(session, organization_id, run_id, RunState.READY.value, now)
    return len(moved)


def _held(run_id: UUID, token: int) -> tuple[ColumnElement[bool], ...]:
    # The fence: whoever claims the run next raises the token, and every write of this attempt then finds nothing.
    return Run.id == run_id, Run.state == RunState.RUNNING.value, Run.token == token


def _leave(
    session: Session,
    query: ReturningUpdate[UUID],
    run_id: UUID,
    token: int,
    end: AttemptEnd,
    kind: str,
    now: datetime,
    data: Mapping[str, Any] | None = None,
) -> bool:
    organization_id = session.scalars(query).one_or_none()
    if organization_id is None:
        return False
    values: dict[str, Any] = {"state": end.state.value, "error": end.error, "detail": end.detail, "finished_at": now}
    values |= {"error_class": end.error_class and end.error_class.value, "come_back_at": end.come_back_at}
    ended = update(Attempt).where(Attempt.run_id == run_id, Attempt.token == token)
    session.execute(ended.values(**values, result=end.result or {}))
    if data:
        data = {**data, "attempt": session.scalar(select(Run.attempt).where(Run.id == run_id))}
    note(session, organization_id, run_id, kind, now, data)
    if kind == RunState.CANCELLED.value:
        cancel_children(session, run_id=run_id, now=now)
    return True


def _said_of(end: AttemptEnd, then: Next, values: Mapping[str, Any]) -> dict[str, Any]:
    """What whoever is told of it cannot read of the run later, when that has gone on."""
    if then.state not in (RunState.FAILED, RunState.WAITING_RETRY, RunState.READY):
        return {}
    said = {
        "state": then.state.value,
        "reason": then.reason and then.reason.value,
        "class": end.error_class and end.error_class.value,
        "cause": values.get("cause"),
        "ready_at": then.ready_at and then.ready_at.isoformat(),
        # Of a try that another one follows. Of the last one the run itself keeps it.
        "error": end.error and then.state is not RunState.FAILED and end.error[:_ERROR_SAID],
    }
    return {name: value for name, value in said.items() if value}


def _end_cancelled(session: Session, run_id: UUID, token: int, end: AttemptEnd, now: datetime) -> bool:
    asked = *_held(run_id, token), Run.cancel_requested_at.is_not(None)
    values = {
        "state": RunState.CANCELLED.value, "reason": Run.cancel_reason, "error": Run.cancel_words,
        "lease_until": None, "hinted_at": None, "finished_at": now, "attempt": Run.attempt - 1,
    }  # fmt: skip
    query = update(Run).where(*asked).values(**values).returning(Run.organization_id)
    return _leave(session, query, run_id, token, end, RunState.CANCELLED.value, now)


def _columns(request: RunRequest) -> dict[str, Any]:
    return {
        "organization_id": request.organization_id,
        "job_id": request.job_id,
        "job_name": request.job_name,
        "kind": request.kind.value,
        "definition": request.definition,
        **request.retry.columns,
        "soft_limit_seconds": request.soft_limit_seconds,
        "time_limit_seconds": request.time_limit_seconds,
        "queue": request.queue,
        "priority": request.priority.value,
        "connection_key": key_of(request.kind, request.definition),
        "trigger": request.trigger.value,
        "schedule_id": request.schedule_id,
        "slot_at": request.slot_at,
        "due_at": request.due_at,
        "requested_by": request.requested_by,
        "request_key": request.request_key,
        "retry_of_run_id": request.retry_of_run_id,
        "parent_run_id": request.parent_run_id,
        "cause_run_id": request.cause_run_id,
        "again_of_run_id": request.again_of_run_id,
        "requested_via": request.requested_via and request.requested_via.value,
    }


def _insert_or_ignore(session: Session) -> Insert:
    # A unique key decides who opens a run: for a slot, for a request and for a retry alike.
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(Run).on_conflict_do_nothing()
    return postgresql.insert(Run).on_conflict_do_nothing()
