"""Which time zones the schedules of an organization are in."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.schedules.models import Schedule
from app.schedules.zone_search import MOST_FOUND


def list_used_zones(session: Session, *, organization_id: UUID) -> tuple[str, ...]:
    """The zones as they are stored, the most used first."""
    query = (
        select(Schedule.timezone)
        .where(Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None))
        .group_by(Schedule.timezone)
        .order_by(func.count().desc(), Schedule.timezone)
        .limit(MOST_FOUND)
    )
    return tuple(session.scalars(query))
