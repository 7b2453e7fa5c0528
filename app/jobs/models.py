"""The table of jobs: what can be run."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.ids import new_id
from app.jobs.policies import WhenLost


class Job(Base):
    """What can be run: a kind and its definition. Deleted softly, because runs keep pointing at it."""

    __tablename__ = "jobs"
    __table_args__ = (
        # The target of composite foreign keys: a child can only point at a job of its own organization.
        UniqueConstraint("organization_id", "id"),
        Index(
            "uq_jobs_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        CheckConstraint("tries >= 1", name="tries_at_least_one"),
        CheckConstraint("time_limit_seconds >= 1", name="time_limit_at_least_a_second"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[str] = mapped_column(String(16))
    # What a sync reads from; nothing for the other kinds.
    service: Mapped[str | None] = mapped_column(String(16))
    definition: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=1)
    tries: Mapped[int]
    retry_delay_seconds: Mapped[int]
    retry_backoff: Mapped[str] = mapped_column(String(16))
    # The database fills it in for versions that do not know it yet; so in runs.
    when_lost: Mapped[str] = mapped_column(String(8), default=WhenLost.KIND.value, server_default=WhenLost.KIND.value)
    time_limit_seconds: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
