"""Deletes finished runs that are old enough. Their attempts and log lines go with them, by the database's own rule."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

from app.core.db import count_changed
from app.runs.models import Run
from app.runs.states import TERMINAL


def delete_finished_before(session: Session, *, organization_id: UUID, before: datetime, limit: int) -> int:
    """Delete at most `limit` runs that ended before an instant, and say how many.

    A run that was retried stays as long as its retry does, so that nothing ever points into the void.
    """
    later = aliased(Run)
    old = (
        select(Run.id)
        .where(
            Run.organization_id == organization_id,
            # Nothing ends before it exists; said again because this is what there is an index for.
            Run.created_at < before,
            Run.finished_at < before,
            Run.state.in_([state.value for state in TERMINAL]),
            ~exists().where(later.organization_id == Run.organization_id, later.retry_of_run_id == Run.id),
        )
        .order_by(Run.created_at)
        .limit(limit)
    )
    return count_changed(session, delete(Run).where(Run.id.in_(old)).execution_options(synchronize_session=False))
