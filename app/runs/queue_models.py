"""Tables of the queues: their limits, whether they are open, what outside accounts allow, and how busy they were."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Queue(Base):
    """A lane of runs and its limits; none where a limit is missing. Those of the kinds are made by a migration."""

    __tablename__ = "queues"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    # How many of its runs may go on at once.
    concurrency: Mapped[int | None]
    # How many may start in so many seconds.
    rate_starts: Mapped[int | None]
    rate_seconds: Mapped[int | None]
    # How many may start now by that rate, as of when.
    tokens: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    tokens_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    updated_at: Mapped[datetime]


class ConnectionLimit(Base):
    """What an outside account allows: how many runs at once, and until when none at all."""

    __tablename__ = "connection_limits"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    connection_key: Mapped[str] = mapped_column(String(80), primary_key=True)
    concurrency: Mapped[int | None]
    limited_until: Mapped[datetime | None]
    explanation: Mapped[str | None] = mapped_column(Text)


class QueueMinute(Base):
    """One minute of a queue, of one organization: what waited in it then, and how many of its runs ended in it."""

    __tablename__ = "queue_minutes"
    __table_args__ = (Index("ix_queue_minutes_minute", "minute"),)

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    queue: Mapped[str] = mapped_column(String(32), primary_key=True)
    # Minutes since 1970.
    minute: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    waiting: Mapped[int]
    ended: Mapped[int]


class QueueSwitch(Base):
    """A queue that a platform admin paused. Without a row a queue is open."""

    __tablename__ = "queue_switches"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    paused_at: Mapped[datetime]
    paused_by: Mapped[str] = mapped_column(String(254))
