"""Short answers about an organization as a whole. Signs of life are in heartbeats.py."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.schedules.models import Schedule


def has_enabled_schedule(session: Session, *, organization_id: UUID) -> bool:
    """Whether this organization needs a scheduler at all."""
    enabled = exists().where(
        Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None), Schedule.enabled
    )
    return bool(session.scalar(select(enabled)))
