"""Commands of people on a run that is not over: cancel it, cut its wait short, give it up."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.runs import chains, interventions
from app.runs.queries import RunRow, get_run
from app.runs.states import Reason, RunState
from app.tenants.access import Actor, Permission, require
from app.tenants.audit import record


class RunNotCancellable(Conflict):
    """The run is over, or was asked to stop before."""


class RunNotWaiting(Conflict):
    """The run does not wait for its next try."""


def cancel_run(session: Session, *, actor: Actor, run_id: UUID, now: datetime) -> bool:
    """Cancel a run: one that waits at once, one that goes on as soon as its worker has stopped it.

    Returns whether it is over already. Raises RunNotCancellable. Should a run end well before its worker has noticed,
    it has succeeded.
    """
    require(actor, Permission.RUN)
    run = get_run(session, organization_id=actor.organization_id, run_id=run_id)
    organization_id, reason = actor.organization_id, Reason.CANCELLED
    words = f"{actor.label} cancelled it at {now:%Y-%m-%d %H:%M:%S} UTC."

    def cancel_waiting() -> bool:
        return interventions.cancel(
            session, run_id=run_id, organization_id=organization_id, reason=reason, explanation=words, now=now
        )

    is_over = cancel_waiting()
    # What starts in between is asked to stop, and what fails in between waits again.
    is_asked = not is_over and interventions.request_cancel(
        session, run_id=run_id, organization_id=organization_id, reason=reason, words=words, now=now
    )
    is_over = is_over or (not is_asked and cancel_waiting())
    if not is_over and not is_asked:
        raise RunNotCancellable(_why_not_cancellable(session, actor, run_id))
    _note(session, actor, "run.cancelled", run, "Cancelled", now)
    return is_over


def retry_run_now(session: Session, *, actor: Actor, run_id: UUID, now: datetime) -> None:
    """Let a run that waits for its next try start at once. Raises RunNotWaiting."""
    run = _waiting_run(session, actor, run_id)
    if not interventions.retry_at_once(session, run_id=run_id, organization_id=actor.organization_id, now=now):
        raise RunNotWaiting(_NOT_WAITING)
    _note(session, actor, "run.retried_now", run, "Cut short the wait for the next try of", now)


def give_run_up(session: Session, *, actor: Actor, run_id: UUID, now: datetime) -> None:
    """Let a run that waits for its next try end as failed, whatever tries are left. Raises RunNotWaiting."""
    run = _waiting_run(session, actor, run_id)
    explanation = f"{actor.label} gave it up after {run.attempt} of {run.tries} tries. {run.error or ''}".rstrip()
    if not interventions.stop_trying(
        session, run_id=run_id, organization_id=actor.organization_id, explanation=explanation, now=now
    ):
        raise RunNotWaiting(_NOT_WAITING)
    chains.follow(session, run_id=run_id, now=now)
    _note(session, actor, "run.given_up", run, "Gave up", now)


_NOT_WAITING = "This run does not wait for its next try any more. Reload the page to see where it stands."


def _waiting_run(session: Session, actor: Actor, run_id: UUID) -> RunRow:
    require(actor, Permission.MANAGE_QUEUE)
    return get_run(session, organization_id=actor.organization_id, run_id=run_id)


def _why_not_cancellable(session: Session, actor: Actor, run_id: UUID) -> str:
    session.expire_all()
    run = get_run(session, organization_id=actor.organization_id, run_id=run_id)
    if run.state is RunState.RUNNING:
        return "Somebody cancelled this run already. It stops as soon as its worker has noticed."
    return "This run is over, so there is nothing to cancel."


def _note(session: Session, actor: Actor, action: str, run: RunRow, what: str, now: datetime) -> None:
    summary = f"{what} a run of “{run.job_name}”"
    record(session, actor=actor, action=action, subject_kind="run", subject_id=run.id, summary=summary, now=now)
