"""What is asked about an organization as a whole. Signs of life are in heartbeats.py."""

from uuid import UUID

from sqlalchemy import Select, select

from app.schedules.models import Schedule


def enabled_schedule(organization_id: UUID) -> Select[UUID]:
    """The schedules because of which it needs a scheduler at all, as part of a statement."""
    return select(Schedule.id).where(
        Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None), Schedule.enabled
    )
