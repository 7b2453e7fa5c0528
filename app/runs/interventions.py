"""The part of the ledger that writes what people and policies do to runs from outside. Guarded updates, each with its
event."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.runs.account_turns import end_rest_of
from app.runs.causes import cause_of
from app.runs.models import Attempt, Run, in_state
from app.runs.run_events import note
from app.runs.states import AttemptState, Reason, RunState, sources_of


def retry_at_once(session: Session, *, run_id: UUID, organization_id: UUID, now: datetime) -> bool:
    """Let a run that waits for its next try start now. False when it does not wait for one."""
    waiting = Run.id == run_id, Run.organization_id == organization_id, in_state(RunState.WAITING_RETRY)
    values = {"state": RunState.READY.value, "reason": None, "ready_at": now, "hinted_at": None}
    if count_changed(session, update(Run).where(*waiting).values(**values)) != 1:
        return False
    # What put it off holds back all runs of its account, this one included.
    end_rest_of(session, run_id=run_id, organization_id=organization_id)
    note(session, organization_id, run_id, RunState.READY.value, now)
    return True


def stop_trying(session: Session, *, run_id: UUID, organization_id: UUID, explanation: str, now: datetime) -> bool:
    """Let a run that waits for its next try end as failed. False when it does not wait for one."""
    waiting = Run.id == run_id, Run.organization_id == organization_id, in_state(RunState.WAITING_RETRY)
    values = {"state": RunState.FAILED.value, "reason": Reason.GIVEN_UP.value, "error": explanation, "finished_at": now}
    if count_changed(session, update(Run).where(*waiting).values(**values)) != 1:
        return False
    note(session, organization_id, run_id, RunState.FAILED.value, now, {"reason": Reason.GIVEN_UP.value})
    return True


def cancel(
    session: Session, *, run_id: UUID, organization_id: UUID, reason: Reason, explanation: str, now: datetime
) -> bool:
    """End a run that has not started. False when it is running or over."""
    not_running = [state.value for state in sources_of(RunState.CANCELLED) if state is not RunState.RUNNING]
    query = (
        update(Run)
        .where(Run.id == run_id, Run.organization_id == organization_id, Run.state.in_(not_running))
        .values(
            state=RunState.CANCELLED.value, reason=reason.value, error=explanation, finished_at=now,
            removed_at=now if reason is Reason.REMOVED else None,
        )
    )  # fmt: skip
    if count_changed(session, query) != 1:
        return False
    note(session, organization_id, run_id, RunState.CANCELLED.value, now)
    cancel_children(session, run_id=run_id, now=now)
    return True


def cancel_children(session: Session, *, run_id: UUID, now: datetime) -> None:
    """For a run that was cancelled: what it started does not start any more, or is asked to stop."""
    words, reason = "The run that started it was cancelled.", Reason.WITH_PARENT
    query = select(Run.id, Run.organization_id).where(Run.parent_run_id == run_id, Run.finished_at.is_(None))
    for child_id, tenant in session.execute(query.order_by(Run.id)).all():
        which: dict[str, Any] = {"run_id": child_id, "organization_id": tenant, "now": now, "reason": reason}
        if not cancel(session, **which, explanation=words) and not request_cancel(session, **which, words=words):
            # It was going on, and between the two its try ended.
            cancel(session, **which, explanation=words)


def request_cancel(
    session: Session, *, run_id: UUID, organization_id: UUID, reason: Reason, words: str, now: datetime
) -> bool:
    """Ask a run that goes on to stop. False when it is not running, or was asked before."""
    held = Run.id == run_id, Run.organization_id == organization_id, Run.state == RunState.RUNNING.value
    values = {"cancel_requested_at": now, "cancel_reason": reason.value, "cancel_words": words}
    if count_changed(session, update(Run).where(*held, Run.cancel_requested_at.is_(None)).values(**values)) != 1:
        return False
    note(session, organization_id, run_id, "cancel_requested", now)
    return True


def take_away(
    session: Session, *, run_id: UUID, organization_id: UUID, token: int, explanation: str, now: datetime
) -> datetime | None:
    """End a run that a worker holds, whatever the worker does. What it still writes for this try is refused then.

    Returns until when its lease was to last, which is when the worker has stopped at the latest. None when it is no
    longer held under this token: it ended, or goes on as another try.
    """
    held = Run.id == run_id, Run.organization_id == organization_id, in_state(RunState.RUNNING), Run.token == token
    # Locked, so that nobody prolongs the lease between the two statements.
    lease_until = session.scalar(select(Run.lease_until).where(*held).with_for_update(of=Run))
    values = {
        "state": RunState.CANCELLED.value, "reason": Reason.REMOVED.value, "error": explanation, "lease_until": None,
        "hinted_at": None, "finished_at": now, "removed_at": now,
    }  # fmt: skip
    if count_changed(session, update(Run).where(*held).values(**values)) != 1:
        return None
    this_try = Attempt.run_id == run_id, Attempt.token == token
    end = {"state": AttemptState.LOST.value, "error": explanation, "finished_at": now}
    session.execute(update(Attempt).where(*this_try).values(**end))
    note(session, organization_id, run_id, RunState.CANCELLED.value, now)
    cancel_children(session, run_id=run_id, now=now)
    return lease_until or now


def give_up(session: Session, *, run_id: UUID, explanation: str, now: datetime) -> bool:
    """End a run that cannot be read, whatever it is. False when it is over already."""
    live = [state.value for state in sources_of(RunState.FAILED)]
    values = {
        "state": RunState.FAILED.value,
        "reason": Reason.UNREADABLE.value,
        "error": explanation,
        "cause": cause_of(explanation),
        "lease_until": None,
        "finished_at": now,
    }
    query = update(Run).where(Run.id == run_id, Run.state.in_(live)).values(**values).returning(Run.organization_id)
    organization_id = session.scalars(query).one_or_none()
    if organization_id is None:
        return False
    running = Attempt.run_id == run_id, Attempt.state == AttemptState.RUNNING.value
    session.execute(update(Attempt).where(*running).values(state=AttemptState.LOST.value, finished_at=now))
    note(session, organization_id, run_id, RunState.FAILED.value, now)
    return True


def dismiss(session: Session, *, run_id: UUID, organization_id: UUID, now: datetime) -> bool:
    """Take a failed run off the queue page. Its outcome stays as it is. False when there is nothing to take off."""
    query = update(Run).where(*_is_dead(run_id, organization_id)).values(dismissed_at=now, removed_at=now)
    if count_changed(session, query) != 1:
        return False
    note(session, organization_id, run_id, "dismissed", now)
    return True


def deal_with(session: Session, *, run_id: UUID, organization_id: UUID, now: datetime) -> None:
    """A failed run is being retried: it is no dead letter any more. Its retry has an event of its own."""
    session.execute(update(Run).where(*_is_dead(run_id, organization_id)).values(dismissed_at=now))


def _is_dead(run_id: UUID, organization_id: UUID) -> tuple[ColumnElement[bool], ...]:
    is_this = Run.id == run_id, Run.organization_id == organization_id
    return *is_this, Run.state == RunState.FAILED.value, Run.dismissed_at.is_(None)
