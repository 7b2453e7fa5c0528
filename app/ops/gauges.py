"""What is asked about an organization as a whole. Signs of life are in heartbeats.py."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.schedules.models import Schedule


def enabled_schedule(organization_id: UUID) -> Select[UUID]:
    """The schedules because of which it needs a scheduler at all, as part of a statement."""
    return select(Schedule.id).where(
        Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None), Schedule.enabled
    )


# Beyond this nobody needs the exact number.
MOST_OVERDUE = 1_000


def count_overdue(session: Session, *, organization_id: UUID, now: datetime) -> int:
    """How many of its schedules should have been planned by now and were not; MOST_OVERDUE stands for more."""
    late = enabled_schedule(organization_id).where(Schedule.next_run_at < now, Schedule.problem.is_(None))
    return session.scalar(select(func.count()).select_from(late.limit(MOST_OVERDUE).subquery())) or 0
