"""Tables of the ledger: runs, their attempts and their log lines. Only `ledger` and `claims` write run state."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.ids import new_id
from app.jobs.policies import WhenLost
from app.runs.states import RunState

_HAS_FINISHED = "finished_at IS NOT NULL"


def _partial_index(name: str, *columns: str, where: str) -> Index:
    """An index over the few rows that matter now, however long the history is."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def in_state(state: RunState, run: "type[Run] | None" = None) -> ColumnElement[bool]:
    """Runs in this state. The value is written into the statement: with a parameter no partial index is used."""
    return (run or Run).state == literal_column(f"'{state.value}'")


class Run(Base):
    """One execution of a job, for a slot or because somebody asked. Frozen copies keep it true after edits."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        # A slot becomes one run, however many schedulers there are.
        UniqueConstraint("schedule_id", "slot_at"),
        # A double click is one run.
        UniqueConstraint("organization_id", "request_key"),
        # A failed run is retried once; its retry can be retried again.
        UniqueConstraint("retry_of_run_id"),
        ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["jobs.organization_id", "jobs.id"],
            name="fk_runs_organization_id_job_id_jobs",
        ),
        ForeignKeyConstraint(
            ["organization_id", "schedule_id"],
            ["schedules.organization_id", "schedules.id"],
            name="fk_runs_organization_id_schedule_id_schedules",
        ),
        ForeignKeyConstraint(
            ["organization_id", "retry_of_run_id"],
            ["runs.organization_id", "runs.id"],
            name="fk_runs_organization_id_retry_of_run_id_runs",
        ),
        _partial_index("ix_runs_ready", "ready_at", where="state = 'ready'"),
        # The line itself, by queue and organization, and those who have been called out of it.
        _partial_index(
            "ix_runs_line", "kind", "organization_id", "ready_at", "id", where="state = 'ready' AND hinted_at IS NULL"
        ),
        _partial_index("ix_runs_hinted", "hinted_at", where="state = 'ready' AND hinted_at IS NOT NULL"),
        _partial_index("ix_runs_waiting_retry", "ready_at", where="state = 'waiting_retry'"),
        _partial_index("ix_runs_lease", "lease_until", where="state = 'running'"),
        Index("ix_runs_schedule_id_finished_at", "schedule_id", "finished_at"),
        # Each index that a run is in has to be written whenever the run changes.
        _partial_index("ix_runs_organization_id_finished_at", "organization_id", "finished_at", where=_HAS_FINISHED),
        Index("ix_runs_schedule_id_created_at", "schedule_id", "created_at"),
        Index("ix_runs_job_id_created_at", "job_id", "created_at"),
        Index("ix_runs_organization_id_state_created_at", "organization_id", "state", "created_at"),
        Index("ix_runs_organization_id_created_at", "organization_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    job_id: Mapped[UUID]
    schedule_id: Mapped[UUID | None]
    slot_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    trigger: Mapped[str] = mapped_column(String(16))
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    request_key: Mapped[str | None] = mapped_column(String(64))
    retry_of_run_id: Mapped[UUID | None]

    # What was asked for, as it stood when the run was made.
    kind: Mapped[str] = mapped_column(String(16))
    definition: Mapped[dict[str, Any]]
    job_name: Mapped[str] = mapped_column(String(120))
    tries: Mapped[int]
    retry_delay_seconds: Mapped[int]
    retry_backoff: Mapped[str] = mapped_column(String(16))
    when_lost: Mapped[str] = mapped_column(String(8), default=WhenLost.KIND.value, server_default=WhenLost.KIND.value)
    time_limit_seconds: Mapped[int]

    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(24))
    error: Mapped[str | None] = mapped_column(Text)
    # The tries that count. `token` counts every claim, also those handed back, and fences every later write.
    attempt: Mapped[int] = mapped_column(default=0)
    token: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(120))
    lease_until: Mapped[datetime | None]
    ready_at: Mapped[datetime]
    hinted_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    # When somebody took a dead letter off the queue page. The run and its outcome stay.
    dismissed_at: Mapped[datetime | None]


class Attempt(Base):
    """One try of a run, with its own outcome. Numbered by the run's token."""

    __tablename__ = "attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "run_id"],
            ["runs.organization_id", "runs.id"],
            name="fk_attempts_organization_id_run_id_runs",
            ondelete="CASCADE",
        ),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    token: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    organization_id: Mapped[UUID]
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    worker: Mapped[str] = mapped_column(String(120))
    error: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class LogLine(Base):
    """One line that an attempt wrote."""

    __tablename__ = "log_lines"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "run_id"],
            ["runs.organization_id", "runs.id"],
            name="fk_log_lines_organization_id_run_id_runs",
            ondelete="CASCADE",
        ),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    organization_id: Mapped[UUID]
    token: Mapped[int]
    level: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class QueueSwitch(Base):
    """A queue that a platform admin paused. Without a row a queue is open."""

    __tablename__ = "queue_switches"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    paused_at: Mapped[datetime]
    paused_by: Mapped[str] = mapped_column(String(254))
