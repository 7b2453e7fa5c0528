"""The dead letters of an organization, as its queue page lists them."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.runs.queries import RunRow
from app.runs.queue_filter import QueueFilter, QueueTab
from app.runs.queue_lists import list_queue_tab

# The moment only counts for what was removed lately.
_NOW = datetime(2027, 1, 1, tzinfo=UTC)


def dead_letters(session: Session, organization_id: UUID) -> list[RunRow]:
    wanted = QueueFilter(QueueTab.DEAD)
    return list_queue_tab(session, organization_id=organization_id, wanted=wanted, now=_NOW, limit=50).rows
