"""The table of heartbeats: which processes of the installation are alive."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Heartbeat(Base):
    """A worker or scheduler that reports, or signed off. Rows of those that went silent are cleared after a day.

    What later versions added has a default, so that an older version can still report.
    """

    __tablename__ = "heartbeats"

    process_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    version: Mapped[str] = mapped_column(String(32))
    # A worker without a scheduler thread has no tick; a scheduler apart has no slots.
    slots: Mapped[int]
    schedules: Mapped[bool]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    ticked_at: Mapped[datetime | None]
    tick_ms: Mapped[int | None]
    host: Mapped[str] = mapped_column(String(255), default="", server_default="")
    pid: Mapped[int] = mapped_column(default=0, server_default="0")
    # The runs in hand, why it starts no more of them if so, and whether it is stopping.
    running: Mapped[int] = mapped_column(default=0, server_default="0")
    problem: Mapped[str | None] = mapped_column(Text)
    is_stopping: Mapped[bool] = mapped_column(default=False, server_default=false())
    # What it holds of the machine's memory, where that is known.
    memory_mib: Mapped[int | None]
    # The queues it serves, with commas between them; all unless some are named.
    queues: Mapped[str | None] = mapped_column(Text)
