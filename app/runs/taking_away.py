"""Taking a run from a worker that no longer answers for it. Whether one is stuck is judged in ops/stuck_runs.py."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.runs import interventions
from app.runs.queries import get_run
from app.runs.service import open_retry
from app.tenants.access import Actor, Permission, require
from app.tenants.audit import record


class RunMovedOn(Conflict):
    """The run ended, or goes on as another try, since somebody looked at it."""


@dataclass(frozen=True)
class TakenAway:
    """What became of it: the run that follows, if one was wanted, and when that may start."""

    retry_id: UUID | None
    starts_at: datetime | None


def take_run_away(
    session: Session, *, actor: Actor, run_id: UUID, token: int, evidence: str, is_retried: bool, now: datetime
) -> TakenAway:
    """Remove a run that is in a worker's hands, and let another one follow if wanted. Raises RunMovedOn.

    Its slot is free at once. The next one starts when the lease of this one is over and not before: until then the
    worker, if it lives, may not have stopped.
    """
    require(actor, Permission.MANAGE_QUEUE)
    run = get_run(session, organization_id=actor.organization_id, run_id=run_id)
    words = f"{actor.label} removed it while it was running. {evidence}"
    lease_until = interventions.take_away(
        session, run_id=run_id, organization_id=actor.organization_id, token=token, explanation=words, now=now
    )
    if lease_until is None:
        raise RunMovedOn("This run is no longer in that worker's hands. Reload the page to see where it stands.")
    # Read before it was written past.
    session.expire_all()
    retry_id, starts_at = None, None
    if is_retried:
        starts_at = max(now, lease_until)
        retry_id = open_retry(session, actor=actor, run=run, now=now, ready_at=starts_at)
    what = "Removed and retried" if is_retried else "Removed"
    summary = f"{what} a stuck run of “{run.job_name}”. {evidence}"
    changes = {"state": ["running", "cancelled"]}
    action = "run.removed"
    record(
        session, actor=actor, action=action, subject_kind="run", subject_id=run_id, summary=summary[:500], now=now,
        changes=changes,
    )  # fmt: skip
    return TakenAway(retry_id, starts_at)
