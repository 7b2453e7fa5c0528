"""Until when the runs of an organization are gone because they were old: what was deleted is not taken for lost."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.tenants.models import Organization


def note_deletion(session: Session, *, organization_id: UUID, until: datetime) -> None:
    """Remember, in the transaction that deletes them, that runs which ended up to an instant are gone."""
    known = Organization.runs_deleted_until
    # Mostly it is known already, and then nothing is written.
    is_later = or_(known.is_(None), known < until)
    query = update(Organization).where(Organization.id == organization_id, is_later)
    session.execute(query.values(runs_deleted_until=until).execution_options(synchronize_session=False))


def deleted_until(session: Session, *, organization_id: UUID) -> datetime | None:
    """Up to which end runs were deleted; None where none ever were."""
    return session.scalar(select(Organization.runs_deleted_until).where(Organization.id == organization_id))
