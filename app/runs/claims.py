"""Leases: taking a run, keeping it, and knowing when it is lost. The state itself is written by the ledger."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.deadline import Deadline, boot_seconds
from app.runs import ledger
from app.runs.ledger import Started


@dataclass(frozen=True)
class LeaseTerms:
    """How long a lease lasts, and how long before its end the work must be over."""

    seconds: int
    margin_seconds: float

    @classmethod
    def for_lease(cls, seconds: int) -> "LeaseTerms":
        return cls(seconds, margin_seconds=seconds / 6)


@dataclass(frozen=True)
class Claim:
    """A live right to execute a run. `safe_until` is when this process must have stopped, by its own clock."""

    started: Started
    safe_until: Deadline


def take(session: Session, *, run_id: UUID, worker: str, terms: LeaseTerms, now: datetime) -> Claim | None:
    """Claim a ready run. None when it is not to be had; an exception means: unknown, do not run."""
    safe_until = _counted_from_now(terms)
    lease_until = now + timedelta(seconds=terms.seconds)
    started = ledger.start(session, run_id=run_id, worker=worker, lease_until=lease_until, now=now)
    if started is None:
        ledger.forget_hint(session, run_id=run_id)
        return None
    return Claim(started, safe_until)


def renew(session: Session, *, claim: Claim, terms: LeaseTerms, now: datetime) -> Claim | None:
    """The claim with a later end, or None when it is no longer ours and the work must stop."""
    safe_until = _counted_from_now(terms)
    lease_until = now + timedelta(seconds=terms.seconds)
    held = claim.started
    if not ledger.extend_lease(session, run_id=held.run_id, token=held.token, lease_until=lease_until):
        return None
    return Claim(held, safe_until)


def _counted_from_now(terms: LeaseTerms) -> Deadline:
    # Taken before the database is asked: however long the answer takes, the lease there ends later than here.
    return Deadline(boot_seconds() + terms.seconds - terms.margin_seconds)
