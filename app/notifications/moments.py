"""By which moments an open page sees that an incident, a message or a channel has changed."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ScalarSelect, func, select

from app.notifications.incident_models import Incident
from app.notifications.models import Channel, Delivery


def last_moments(organization_id: UUID) -> tuple[ScalarSelect[datetime | None], ...]:
    """When something last went wrong, a message was last written, and one last arrived or did not; for `mark_of`.

    The first two are looks at the end of an index; of channels an organization has 50 at most.
    """
    columns = (
        (Incident, Incident.last_at),
        (Delivery, Delivery.created_at),
        (Channel, Channel.last_ok_at),
        (Channel, Channel.last_error_at),
    )
    return tuple(
        select(func.max(column)).where(table.organization_id == organization_id).scalar_subquery()
        for table, column in columns
    )


def mark_of(moments: Iterable[datetime | None]) -> int:
    """Another number as soon as one of them is another. No larger than what scripts count exactly."""
    return sum(int(moment.timestamp() * 1000) for moment in moments if moment is not None)
