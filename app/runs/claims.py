"""Leases: taking a run, keeping it, and knowing when it is lost. The state itself is written by the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.deadline import Deadline, boot_seconds
from app.runs import ledger
from app.runs.express import Express
from app.runs.facts import ANYTHING, AttemptEnd, Started, Taking
from app.runs.models import Attempt, Run, in_state
from app.runs.retries import Next
from app.runs.states import AttemptState, RunState

NOT_ANSWERED = "The database did not say whether this try could begin, so it did not begin."


@dataclass(frozen=True)
class LeaseTerms:
    """How long a lease lasts, and how long before its end the work must be over."""

    seconds: int
    margin_seconds: float

    @classmethod
    def for_lease(cls, seconds: int) -> "LeaseTerms":
        return cls(seconds, margin_seconds=seconds / 6)

    def safe_until(self) -> Deadline:
        """When work must be over whose lease is asked for from now on.

        Taken before the database is asked for anything, the time included: however long its answers take and this
        process sleeps meanwhile, the lease there ends later than here.
        """
        return Deadline(boot_seconds() + self.seconds - self.margin_seconds)


@dataclass(frozen=True)
class Claim:
    """A live right to execute a run. `safe_until` is when this process must have stopped, by its own clock."""

    started: Started
    safe_until: Deadline


@dataclass(frozen=True)
class DoubtfulClaim:
    """A claim that the database did not answer for: it may hold or not. Nothing is run by it."""

    run_id: UUID
    worker: str
    lease: timedelta
    # Something between us and the database may have held the claim back, so that it takes effect after the first look.
    # Late enough to find it then, and early enough that its lease is not over.
    look_again_at: Deadline
    # What took effect before the answer was given up on is over by then, and the sweep has moved the run on.
    forget_at: Deadline


def doubtful(*, run_id: UUID, worker: str, terms: LeaseTerms) -> DoubtfulClaim:
    """What is left of a claim whose answer was given up on just now."""
    return DoubtfulClaim(
        run_id,
        worker,
        timedelta(seconds=terms.seconds),
        look_again_at=Deadline.after(terms.seconds - terms.margin_seconds),
        forget_at=Deadline.after(terms.seconds),
    )


def settle(session: Session, *, doubt: DoubtfulClaim, now: datetime) -> bool:
    """Give the run back at once if it was claimed after all, at no cost of a try. Says whether it was."""
    mine = Run.id == doubt.run_id, in_state(RunState.RUNNING), Run.worker == doubt.worker, Run.lease_until > now
    tries = select(Run.token, Run.lease_until, Attempt.started_at).where(*mine)
    held = session.execute(tries.join(Attempt, (Attempt.run_id == Run.id) & (Attempt.token == Run.token))).one_or_none()
    # One that this worker has been executing was renewed, or its lease is over.
    if held is None or held.lease_until != held.started_at + doubt.lease:
        return False
    end, then = AttemptEnd(AttemptState.RELEASED, NOT_ANSWERED), Next(RunState.READY, None, now)
    return ledger.put_down(session, run_id=doubt.run_id, token=held.token, end=end, then=then, now=now, refund=True)


def take(
    session: Session, *, run_id: UUID, worker: str, terms: LeaseTerms, safe_until: Deadline, now: datetime,
    taking: Taking = ANYTHING,
) -> Claim | None:  # fmt: skip
    """Claim a ready run. None when it is not to be had; an exception means: unknown, do not run.

    `safe_until` is what the terms said before `now` was asked for.
    """
    lease_until = now + timedelta(seconds=terms.seconds)
    started = ledger.start(session, run_id=run_id, worker=worker, lease_until=lease_until, now=now, taking=taking)
    if started is None:
        ledger.forget_hint(session, run_id=run_id)
        return None
    return Claim(started, safe_until)


def take_at_once(express: Express, *, run_id: UUID, terms: LeaseTerms) -> Claim | None:
    """The same by the short way."""
    safe_until = terms.safe_until()
    started = express.start(run_id)
    return None if started is None else Claim(started, safe_until)


def lock_free_ones(session: Session, *, run_ids: Sequence[UUID]) -> set[UUID]:
    """Lock the rows of these runs that nobody else has locked. To wait for one would let the leases of all run out."""
    free = select(Run.id).where(Run.id.in_(run_ids)).with_for_update(skip_locked=True)
    return set(session.scalars(free))


def asked_to_stop(session: Session, *, run_ids: Sequence[UUID]) -> set[tuple[UUID, int]]:
    """Which of these runs somebody cancelled while they were going on, each with its token."""
    query = select(Run.id, Run.token).where(Run.id.in_(run_ids), Run.cancel_requested_at.is_not(None))
    return {(found.id, found.token) for found in session.execute(query)}


def renew(session: Session, *, claim: Claim, terms: LeaseTerms, safe_until: Deadline, now: datetime) -> Claim | None:
    """The claim with a later end, or None when it is no longer ours and the work must stop.

    `safe_until` is what the terms said before `now` was asked for.
    """
    lease_until = now + timedelta(seconds=terms.seconds)
    held = claim.started
    if not ledger.extend_lease(session, run_id=held.run_id, token=held.token, lease_until=lease_until):
        return None
    return Claim(held, safe_until)
