"""The table of facts. A row says that something changed state; it is written with the change and never edited."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

# SQLite numbers rows by itself only in a column of exactly this type.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")
SCHEDULE_REPAIRED = "schedule.repaired"
_REPAIRS = text(f"kind = '{SCHEDULE_REPAIRED}'")


class Event(Base):
    """One change of state. Ids grow, so the highest one tells a reader whether anything is new."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_organization_id_topic_id", "organization_id", "topic", "id"),
        # The history of a schedule tells of its repairs, of which there are next to none.
        Index("ix_events_repairs", "subject_id", "id", sqlite_where=_REPAIRS, postgresql_where=_REPAIRS),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(_RowNumber, primary_key=True, autoincrement=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    topic: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(48))
    subject_id: Mapped[UUID]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]
