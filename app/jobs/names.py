"""Jobs by what somebody calls them."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.called import Named, list_called
from app.jobs.models import Job


def jobs_called(session: Session, *, organization_id: UUID, text: str, limit: int) -> list[Named]:
    """Jobs of an organization with this text in their name, the likeliest first. Deleted ones are none of them."""
    mine = select(Job.id, Job.name).where(Job.organization_id == organization_id, Job.deleted_at.is_(None))
    return list_called(session, mine, Job.name, text, limit=limit)
