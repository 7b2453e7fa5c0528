"""Whether a run is still an attempt's, for whoever is about to write on its behalf."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.kinds.base import AttemptLost
from app.runs.models import Run
from app.runs.states import RunState


def holds_run(session: Session, *, run_id: UUID, token: int, may_wait: bool = True) -> bool:
    """Whether the run is this attempt's, and stays it to the end of the transaction.

    Not for somebody who may not wait while somebody else keeps it locked.
    """
    held = select(Run.id).where(Run.id == run_id, Run.token == token, Run.state == RunState.RUNNING.value)
    # The row lock keeps it so; SQLite has one writer anyway.
    return session.scalar(held.with_for_update(skip_locked=not may_wait)) is not None


def hold_run(session: Session, *, run_id: UUID, token: int) -> None:
    """The same for whoever has to take everything back otherwise: raises AttemptLost.

    To be called just before the commit: a lease is not renewed while its run is locked.
    """
    if not holds_run(session, run_id=run_id, token=token):
        raise AttemptLost("This run is no longer in the hands of this worker, so nothing of what it fetched was kept.")
