"""The table of facts. A row says that something changed state; it is written with the change and never edited."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, partial_index

# SQLite numbers rows by itself only in a column of exactly this type.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")
SCHEDULE_REPAIRED = "schedule.repaired"


class Event(Base):
    """One change of state. Ids grow, so the highest one tells a reader whether anything is new."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_organization_id_topic_id", "organization_id", "topic", "id"),
        # The history of a schedule tells of its repairs, of which there are next to none.
        partial_index("ix_events_repairs", "subject_id", "id", where=f"kind = '{SCHEDULE_REPAIRED}'"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(_RowNumber, primary_key=True, autoincrement=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    topic: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(48))
    subject_id: Mapped[UUID]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]
