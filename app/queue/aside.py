"""Runs at a limit of their own go out of the way, into a line of their job alone: there they hide nobody."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.queue.lines import is_waiting
from app.runs.models import Run

# How many runs of a line are looked through at once. More would keep others from those rows for long.
MOST_AT_ONCE = 5_000


def stand_aside(session: Session, *, held_up: Sequence[UUID], now: datetime) -> int:
    """Move these runs out of the way, and others of the same jobs and connections close behind. Says how many."""
    ours = select(Run.queue, Run.organization_id).where(Run.id.in_(held_up)).distinct()
    return sum(_move(session, queue, organization_id, held_up, now) for queue, organization_id in session.execute(ours))


def _move(session: Session, queue: str, organization_id: UUID, held_up: Sequence[UUID], now: datetime) -> int:
    line = (
        select(Run.id, Run.job_id, Run.connection_key)
        .where(Run.queue == queue, Run.organization_id == organization_id, *is_waiting(is_aside=False))
        .order_by(Run.priority, Run.ready_at, Run.id)
        .limit(MOST_AT_ONCE)
        .subquery()
    )
    jobs, accounts = (select(column).where(Run.id.in_(held_up)) for column in (Run.job_id, Run.connection_key))
    alike = select(line.c.id).where(
        or_(line.c.job_id.in_(jobs), line.c.connection_key.in_(accounts.where(Run.connection_key.is_not(None))))
    )
    moved = update(Run).where(Run.id.in_(alike), *is_waiting(is_aside=False)).values(aside_at=now)
    return count_changed(session, moved.execution_options(synchronize_session=False))
