"""Schedules by what somebody calls them."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.called import Named, list_called
from app.schedules.models import Schedule


def schedules_called(session: Session, *, organization_id: UUID, text: str, limit: int) -> list[Named]:
    """Schedules of an organization with this text in their name, the likeliest first. Deleted ones are none of them."""
    mine = select(Schedule.id, Schedule.name).where(
        Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None)
    )
    return list_called(session, mine, Schedule.name, text, limit=limit)
