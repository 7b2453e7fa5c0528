"""Tables of schedules, of what they said before, and of the gaps nobody executed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, index_of_given, partial_index
from app.core.ids import new_id

# SQLite numbers rows by itself only in a column of exactly this type.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")


class Schedule(Base):
    """When a job runs. `next_run_at` is the cursor: the next slot for which no run exists yet."""

    __tablename__ = "schedules"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["jobs.organization_id", "jobs.id"],
            name="fk_schedules_organization_id_job_id_jobs",
        ),
        partial_index(
            "uq_schedules_organization_id_name", "organization_id", "name", unique=True, where="deleted_at IS NULL"
        ),
        Index(
            "ix_schedules_due",
            "next_run_at",
            # Each as that engine writes the condition of `is_planned`; otherwise the index would not be used.
            sqlite_where=text("enabled IS 1 AND deleted_at IS NULL AND problem IS NULL"),
            postgresql_where=text("enabled IS true AND deleted_at IS NULL AND problem IS NULL"),
        ),
        partial_index(
            "uq_schedules_organization_id_default_for",
            "organization_id",
            "default_for",
            unique=True,
            where="deleted_at IS NULL",
        ),
        partial_index(
            "uq_schedules_organization_id_code_id",
            "organization_id",
            "code_id",
            unique=True,
            where="code_id IS NOT NULL",
        ),
        # The recently deleted ones; no others are ever looked for.
        partial_index("ix_schedules_deleted", "organization_id", "deleted_at", "id", where="deleted_at IS NOT NULL"),
        # All schedules are in it. A check of a foreign key, which says nothing of jobs, cannot take it.
        index_of_given("ix_schedules_organization_id_job_id", "organization_id", "job_id", given="job_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    job_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(120))
    # When it fires: cron lines, an interval, or single times, as somebody typed them.
    cron: Mapped[str] = mapped_column(String(500))
    # Whether a cron line may begin with seconds.
    has_seconds: Mapped[bool] = mapped_column(default=False, server_default=false())
    # No slot lies before the first or at or after the second.
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    timezone: Mapped[str] = mapped_column(String(64))
    spread_key: Mapped[str] = mapped_column(String(64))
    clock_change: Mapped[str] = mapped_column(String(8))
    overlap: Mapped[str] = mapped_column(String(16))
    missed: Mapped[str] = mapped_column(String(16))
    missed_max_age_seconds: Mapped[int]
    # How many slots are made up for at most, where all are.
    missed_limit: Mapped[int] = mapped_column(default=10, server_default="10")
    enabled: Mapped[bool]
    # Why a schedule that is on has no next run: text a person can act on.
    problem: Mapped[str | None] = mapped_column(Text)
    next_run_at: Mapped[datetime | None]
    # The service whose default schedule this is; an organization has one for each.
    default_for: Mapped[str | None] = mapped_column(String(16))
    # Who switched it on or off last, and when. Nobody did where both are missing.
    switched_at: Mapped[datetime | None]
    switched_by: Mapped[str | None] = mapped_column(String(254))
    # The address of who made it. Nobody did where it came with the organization or from code.
    made_by: Mapped[str | None] = mapped_column(String(254))
    # Whose it is, a member of the organization. An address without an id is that of an owner who left.
    owner_id: Mapped[UUID | None]
    owner: Mapped[str | None] = mapped_column(String(254))
    # What operators want each other to know.
    notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    tags: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    # The minutes of the day, by its own clock, at which it ever fires: 1,440 bits, the first one first.
    minutes: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Of schedules that are defined in code: their id there, where that is, what it says, which of that was changed
    # on the page, and since when it is no more.
    code_id: Mapped[str | None] = mapped_column(String(64))
    code_source: Mapped[str | None] = mapped_column(String(255))
    code_says: Mapped[dict[str, Any] | None]
    code_overrides: Mapped[str] = mapped_column(String(200), default="", server_default="")
    left_code_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    # Who deleted it, and whether it was on before: what comes back is what went.
    deleted_by: Mapped[str | None] = mapped_column(String(254))
    was_enabled: Mapped[bool | None]


def is_planned() -> tuple[ColumnElement[bool], ...]:
    """Schedules that the planner looks after: switched on, not deleted, and readable."""
    return Schedule.enabled.is_(True), Schedule.deleted_at.is_(None), Schedule.problem.is_(None)


class ScheduleVersion(Base):
    """What a schedule said from one change to the next."""

    __tablename__ = "schedule_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "schedule_id"],
            ["schedules.organization_id", "schedules.id"],
            name="fk_schedule_versions_organization_id_schedule_id_schedules",
        ),
    )

    schedule_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organization_id: Mapped[UUID]
    # When it was saved, and by whom.
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(254))
    says: Mapped[dict[str, Any]]
    restored_from: Mapped[int | None]


class Gap(Base):
    """A range of slots that nobody executed, with its reason."""

    __tablename__ = "gaps"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "schedule_id"],
            ["schedules.organization_id", "schedules.id"],
            name="fk_gaps_organization_id_schedule_id_schedules",
        ),
        Index("ix_gaps_schedule_id_first_slot_at", "schedule_id", "first_slot_at"),
        Index("ix_gaps_organization_id_last_slot_at", "organization_id", "last_slot_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID]
    schedule_id: Mapped[UUID]
    first_slot_at: Mapped[datetime]
    last_slot_at: Mapped[datetime]
    slots: Mapped[int]
    reason: Mapped[str] = mapped_column(String(32))
    # Who or what it was, where the reason alone does not say it.
    explanation: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]


class SchedulingStop(Base):
    """A time in which the whole installation planned nothing, because a platform admin said so."""

    __tablename__ = "scheduling_stops"
    # Scheduling is stopped once or not at all, whoever presses the button at the same moment.
    __table_args__ = (UniqueConstraint("is_open"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    stopped_at: Mapped[datetime] = mapped_column(index=True)
    stopped_by: Mapped[str] = mapped_column(String(254))
    reason: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    started_by: Mapped[str | None] = mapped_column(String(254))
    # True while it lasts, then nothing at all: the unique key counts only what is there.
    is_open: Mapped[bool | None]


class ClockStepSeen(Base):
    """A step of the database's clock, as one scheduler saw it. The highest number is the last, whatever its time."""

    __tablename__ = "clock_steps"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(_RowNumber, primary_key=True, autoincrement=True)
    seconds: Mapped[int]
    seen_at: Mapped[datetime]
    held_until: Mapped[datetime]
