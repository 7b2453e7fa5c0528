"""Runs at a limit of their own go out of the way, into a line of their job alone: there they hide nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.queue.lines import is_waiting
from app.runs.models import Run
from app.runs.states import RunState
from app.runs.steps import is_state

# How many runs of a line are looked through in one transaction. More would keep others from those rows for long.
MOST_LOOKED_AT = 5_000
# How many are moved by one statement.
AT_ONCE = 1_000


@dataclass(frozen=True)
class HeldUp:
    """A run at the limit of its job, or else at that of its connection."""

    run_id: UUID
    is_full_job: bool


def stand_aside(session: Session, *, held_up: Sequence[HeldUp], now: datetime) -> int:
    """Move these runs out of the way, and others at the same limits close behind. Says how many."""
    columns = Run.id, Run.queue, Run.organization_id, Run.job_id, Run.connection_key
    found = session.execute(select(*columns).where(Run.id.in_([one.run_id for one in held_up]))).all()
    # A job has runs on other connections too, which are not held up by one that takes none.
    full_jobs = {one.run_id for one in held_up if one.is_full_job}
    jobs = {row.job_id for row in found if row.id in full_jobs}
    accounts = {(row.organization_id, row.connection_key) for row in found if row.id not in full_jobs}
    moved = 0
    for queue, organization_id in {(row.queue, row.organization_id) for row in found}:
        # Told apart here: a statement that looks for the likes of each may be planned so that it looks for each anew.
        alike = [
            run_id
            for run_id, job_id, key in _head_of(session, queue, organization_id)
            if job_id in jobs or (organization_id, key) in accounts
        ]
        moved += sum(_move(session, alike[at : at + AT_ONCE], now) for at in range(0, len(alike), AT_ONCE))
    return moved


def _head_of(session: Session, queue: str, organization_id: UUID) -> Sequence[Row[UUID, UUID, str | None]]:
    line = Run.queue == queue, Run.organization_id == organization_id, *is_waiting(is_aside=False)
    query = select(Run.id, Run.job_id, Run.connection_key).where(*line)
    return session.execute(query.order_by(Run.priority, Run.ready_at, Run.id).limit(MOST_LOOKED_AT)).all()


def _move(session: Session, run_ids: Sequence[UUID], now: datetime) -> int:
    # Not by the index of the line: it might be read as a whole for these few.
    still_waits = is_state(RunState.READY), Run.hinted_at.is_(None), Run.aside_at.is_(None)
    moved = update(Run).where(Run.id.in_(run_ids), *still_waits).values(aside_at=now)
    return count_changed(session, moved.execution_options(synchronize_session=False))
