"""The table of jobs: what can be run."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    case,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, partial_index
from app.core.ids import new_id
from app.jobs.policies import WhenLost


class Job(Base):
    """What can be run: a kind and its definition. Deleted softly, because runs keep pointing at it."""

    __tablename__ = "jobs"
    __table_args__ = (
        # The target of composite foreign keys: a child can only point at a job of its own organization.
        UniqueConstraint("organization_id", "id"),
        partial_index(
            "uq_jobs_organization_id_name", "organization_id", "name", unique=True, where="deleted_at IS NULL"
        ),
        partial_index(
            "uq_jobs_organization_id_code_name",
            "organization_id",
            "code_name",
            unique=True,
            where="code_name IS NOT NULL",
        ),
        # The few that dispatch has to count for.
        partial_index("ix_jobs_limited", "id", where="concurrency IS NOT NULL"),
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
    retry_longest_delay_seconds: Mapped[int] = mapped_column(default=3_600, server_default="3600")
    retry_has_jitter: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Classes of errors that are not tried again, with commas between them.
    retry_not_on: Mapped[str] = mapped_column(String(200), default="", server_default="")
    # At the soft limit somebody is told, at the time limit it ends.
    soft_limit_seconds: Mapped[int | None]
    time_limit_seconds: Mapped[int]
    # Unless one is named, the queue of its kind.
    queue: Mapped[str | None] = mapped_column(String(32))
    priority: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    # How many of its runs may go on at once; any number unless one is named.
    concurrency: Mapped[int | None]
    # Of jobs that are defined in code: their name and group there, where that is, and since when it is no more.
    code_name: Mapped[str | None] = mapped_column(String(64))
    code_group: Mapped[str | None] = mapped_column(String(64))
    code_source: Mapped[str | None] = mapped_column(String(255))
    left_code_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


def connection_of_job() -> ColumnElement[str | None]:
    """The id of the connection that a sync reads from, as text; NULL for all other jobs."""
    # Only of syncs: the definitions of others may be large, and need not be looked into.
    return case((Job.kind == "sync", Job.definition["connection_id"].as_string()))


class CodeVersion(Base):
    """One state of what code defines. The one that was loaded last is in force; older ones stand back."""

    __tablename__ = "code_versions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    loaded_by: Mapped[str] = mapped_column(String(254))
    loaded_at: Mapped[datetime] = mapped_column(index=True)


class JobChain(Base):
    """What a job starts when a run of it has ended one way or the other."""

    __tablename__ = "job_chains"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["jobs.organization_id", "jobs.id"],
            name="fk_job_chains_organization_id_job_id_jobs",
        ),
        ForeignKeyConstraint(
            ["organization_id", "then_job_id"],
            ["jobs.organization_id", "jobs.id"],
            name="fk_job_chains_organization_id_then_job_id_jobs",
        ),
        UniqueConstraint("organization_id", "job_id", "outcome", "then_job_id"),
        Index("ix_job_chains_then_job_id", "then_job_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID]
    job_id: Mapped[UUID]
    outcome: Mapped[str] = mapped_column(String(8))
    then_job_id: Mapped[UUID]
    # Arguments that take the place of the other job's own.
    parameters: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
