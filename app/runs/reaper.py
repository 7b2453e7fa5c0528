"""Runs whose worker died or lost touch: found by their expired lease, never by their age alone."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from app.core.db import OUTAGES, count_changed
from app.jobs.kinds.base import JobKinds, KindName
from app.jobs.policies import WhenLost
from app.runs import chains, interventions, ledger, retries
from app.runs.facts import AttemptEnd, started_from
from app.runs.models import Attempt, Run, in_state
from app.runs.queue_models import Queue
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState

log = logging.getLogger(__name__)

BATCH = 100


def reap(session: Session, *, kinds: JobKinds, now: datetime) -> int:
    """Move runs with an expired lease on by their policy. Returns how many there were."""
    query = (
        select(Run.id)
        .where(in_state(RunState.RUNNING), Run.lease_until < now)
        .order_by(Run.lease_until)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    lost = session.scalars(query).all()
    for run_id in lost:
        _move_on_or_give_up(session, run_id, kinds, now)
    return len(lost)


def bring_forward(session: Session, *, now: datetime, lease_seconds: float) -> int:
    """Let nothing wait for a time that a clock set back has moved away. Expects that one lease has passed since.

    By now whoever is alive holds what it holds by the new time: a lease that ends later is that of a dead worker.
    """
    by_old_time = in_state(RunState.READY), or_(Run.ready_at > now, Run.hinted_at > now)
    count = count_changed(session, update(Run).where(*by_old_time).values(ready_at=now, hinted_at=None))
    # Twice as long, because a lease taken at this moment ends later than one counted from `now`.
    too_long = in_state(RunState.RUNNING), Run.lease_until > now + timedelta(seconds=2 * lease_seconds)
    count += count_changed(session, update(Run).where(*too_long).values(lease_until=now))
    # A rate that was used up would let nothing start before the old time comes again.
    session.execute(update(Queue).where(Queue.tokens_at > now).values(tokens_at=now))
    return count + _count_delays_anew(session, now)


def _count_delays_anew(session: Session, now: datetime) -> int:
    """A run that waits for its next try waits as long as it was told to, and not until the old time comes again."""
    # By a clock that was never set, no try has ended later than now.
    ended_by_old_time = in_state(RunState.WAITING_RETRY), Run.ready_at > now, Attempt.finished_at > now
    tries = (Attempt.run_id == Run.id) & (Attempt.token == Run.token)
    query = select(Run.id, Run.ready_at, Attempt.finished_at).join(Attempt, tries).where(*ended_by_old_time)
    waiting = session.execute(query).all()
    for run_id, ready_at, finished_at in waiting:
        # A delay is never below nothing, also where the clock was set between the two.
        delay = max(ready_at - (finished_at or now), timedelta())
        still = Run.id == run_id, in_state(RunState.WAITING_RETRY), Run.ready_at == ready_at
        session.execute(update(Run).where(*still).values(ready_at=now + delay))
    return len(waiting)


def _move_on_or_give_up(session: Session, run_id: UUID, kinds: JobKinds, now: datetime) -> None:
    try:
        with session.begin_nested():
            _move_on(session, session.get_one(Run, run_id, populate_existing=True), kinds, now)
    except OUTAGES:
        # The database, not the row: the whole batch is tried again.
        raise
    except Exception as error:
        log.exception("run given up", extra={"run_id": str(run_id)})
        if interventions.give_up(session, run_id=run_id, explanation=f"This run cannot be read: {error}", now=now):
            chains.follow(session, run_id=run_id, now=now)


def _move_on(session: Session, run: Run, kinds: JobKinds, now: datetime) -> None:
    started = started_from(run)
    kind = kinds.get(KindName(run.kind))
    kind_says = kind is not None and kind.may_repeat(run.definition)
    may_repeat = started.retry.may_repeat(kind_says=kind_says)
    losses = _count_losses(session, run.id) + 1
    then = retries.after_loss(started.retry, attempt=run.attempt, losses=losses, may_repeat=may_repeat, now=now)
    end = AttemptEnd(AttemptState.LOST, error=_explain(run, started.retry.when_lost, then, may_repeat=may_repeat))
    if ledger.put_down(session, run_id=run.id, token=run.token, end=end, then=then, now=now):
        chains.follow(session, run_id=run.id, now=now)
        log.warning("run lost", extra={"run_id": str(run.id), "worker": run.worker, "then": then.state.value})


def _count_losses(session: Session, run_id: UUID) -> int:
    lost = Attempt.run_id == run_id, Attempt.state == AttemptState.LOST.value
    return session.scalars(select(func.count()).select_from(Attempt).where(*lost)).one()


def _explain(run: Run, when_lost: WhenLost, then: Next, *, may_repeat: bool) -> str:
    what = f"Worker {run.worker} stopped reporting while this ran, so nobody knows how far it came."
    if then.state is RunState.READY:
        return f"{what} It is tried again."
    if then.reason is Reason.LOST_TOO_OFTEN:
        return (
            f"{what} That was the third worker lost with this run, so it is not started again by itself: the job "
            "itself may be what ends them. Look at its log and at the memory of the machine, then retry it."
        )
    if may_repeat:
        used_up = "Its one try is" if run.tries == 1 else f"All {run.tries} tries are"
        return f"{what} {used_up} used up. When the workers are well, retry it."
    return f"{what} {retries.why_not_again(when_lost)}"
