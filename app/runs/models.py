"""Tables of the ledger: runs, their attempts and their log lines. Only the ledger writes run state: `ledger`,
`interventions`, `slot_writes`, `replacing` and `steps`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
    literal_column,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, index_of_given, partial_index, unique_where_given
from app.core.ids import new_id
from app.jobs.policies import WhenLost
from app.runs.causes import CAUSE_LENGTH
from app.runs.states import RunState

_HAS_FINISHED = "finished_at IS NOT NULL"
_IS_DEAD = "state = 'failed' AND dismissed_at IS NULL"


def in_state(state: RunState, run: "type[Run] | None" = None) -> ColumnElement[bool]:
    """Runs in this state. The value is written into the statement: with a parameter no partial index is used."""
    return (run or Run).state == literal_column(f"'{state.value}'")


class Run(Base):
    """One execution of a job, for a slot or because somebody asked. Frozen copies keep it true after edits."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        # A slot becomes one run, however many schedulers there are.
        *unique_where_given("runs", "schedule_id", "slot_at"),
        # A double click is one run.
        *unique_where_given("runs", "organization_id", "request_key"),
        # A failed run is retried once; its retry can be retried again.
        *unique_where_given("runs", "retry_of_run_id"),
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
        partial_index("ix_runs_ready", "ready_at", where="state = 'ready'"),
        # The line itself, by queue and organization, and those who have been called out of it.
        partial_index(
            "ix_runs_line",
            "queue",
            "organization_id",
            "priority",
            "ready_at",
            "id",
            where="state = 'ready' AND hinted_at IS NULL AND aside_at IS NULL",
        ),
        partial_index(
            "ix_runs_aside",
            "job_id",
            "priority",
            "ready_at",
            "id",
            where="state = 'ready' AND hinted_at IS NULL AND aside_at IS NOT NULL",
        ),
        partial_index("ix_runs_hinted", "hinted_at", where="state = 'ready' AND hinted_at IS NOT NULL"),
        partial_index("ix_runs_waiting_retry", "ready_at", where="state = 'waiting_retry'"),
        partial_index("ix_runs_waiting", "schedule_id", where="state = 'waiting'"),
        partial_index("ix_runs_parent_run_id", "parent_run_id", where="parent_run_id IS NOT NULL"),
        partial_index("ix_runs_cause_run_id", "cause_run_id", where="cause_run_id IS NOT NULL"),
        partial_index("ix_runs_again_of_run_id", "again_of_run_id", where="again_of_run_id IS NOT NULL"),
        partial_index("ix_runs_lease", "lease_until", where="state = 'running'"),
        partial_index("ix_runs_schedule_id_finished_at", "schedule_id", "finished_at", where="schedule_id IS NOT NULL"),
        # The dead letters: all that their counts and groups read, those of one cause, those of everybody, and those
        # that an earlier version left without a cause. Few runs are ever in these.
        partial_index(
            "ix_runs_dead_letters",
            "organization_id",
            "finished_at",
            "id",
            "cause",
            "queue",
            "job_id",
            "schedule_id",
            where=_IS_DEAD,
        ),
        partial_index("ix_runs_causes", "organization_id", "cause", "finished_at", "id", "schedule_id", where=_IS_DEAD),
        partial_index("ix_runs_dead_letters_of_all", "finished_at", "id", where=_IS_DEAD),
        partial_index("ix_runs_without_cause", "id", where=f"{_IS_DEAD} AND cause IS NULL"),
        partial_index("ix_runs_removed", "organization_id", "removed_at", "id", where="removed_at IS NOT NULL"),
        # Each index that a run is in has to be written whenever the run changes.
        partial_index("ix_runs_organization_id_finished_at", "organization_id", "finished_at", where=_HAS_FINISHED),
        partial_index("ix_runs_schedule_id_created_at", "schedule_id", "created_at", where="schedule_id IS NOT NULL"),
        Index("ix_runs_job_id_created_at", "job_id", "created_at"),
        # All runs are in these. A check of a foreign key says nothing of these columns, so it cannot take them: planned
        # while there were few runs, it would for ever read all of an organization for each attempt that begins.
        index_of_given(
            "ix_runs_organization_id_state_created_at", "organization_id", "state", "created_at", given="state"
        ),
        index_of_given("ix_runs_organization_id_created_at", "organization_id", "created_at", given="created_at"),
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
    # The run that waits for this one among others, and the one whose end started it. Old runs are deleted each for
    # itself, so either may be gone.
    parent_run_id: Mapped[UUID | None]
    cause_run_id: Mapped[UUID | None]
    # The run that somebody asked for once more. It may be gone as well.
    again_of_run_id: Mapped[UUID | None]
    # Through what it was asked for, where that was no page.
    requested_via: Mapped[str | None] = mapped_column(String(16))

    # What was asked for, as it stood when the run was made.
    kind: Mapped[str] = mapped_column(String(16))
    definition: Mapped[dict[str, Any]]
    job_name: Mapped[str] = mapped_column(String(120))
    tries: Mapped[int]
    retry_delay_seconds: Mapped[int]
    retry_backoff: Mapped[str] = mapped_column(String(16))
    when_lost: Mapped[str] = mapped_column(String(8), default=WhenLost.KIND.value, server_default=WhenLost.KIND.value)
    retry_longest_delay_seconds: Mapped[int] = mapped_column(default=3_600, server_default="3600")
    retry_has_jitter: Mapped[bool] = mapped_column(default=False, server_default=false())
    retry_not_on: Mapped[str] = mapped_column(String(200), default="", server_default="")
    soft_limit_seconds: Mapped[int | None]
    time_limit_seconds: Mapped[int]

    # Where it stands in line. A version that knows of no queues leaves it to the first one.
    queue: Mapped[str] = mapped_column(String(32), server_default="workflow")
    priority: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    # What its calls share with those of other runs, such as an account that has limits of its own.
    connection_key: Mapped[str | None] = mapped_column(String(80))
    # Since when it stands aside, in a line of its job alone: that was at a limit of its own, and hides nobody there.
    aside_at: Mapped[datetime | None]

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
    # Since when it takes longer than its soft limit.
    slow_at: Mapped[datetime | None]
    # When somebody asked a run that goes on to stop, why, and in which words.
    cancel_requested_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(24))
    cancel_words: Mapped[str | None] = mapped_column(Text)
    # What its last error shares with others of the same cause.
    cause: Mapped[str | None] = mapped_column(String(CAUSE_LENGTH))
    # When somebody dealt with a dead letter: retried it or took it off. The run and its outcome stay.
    dismissed_at: Mapped[datetime | None]
    # When somebody removed it, be it from the line, from a worker or from the dead letters.
    removed_at: Mapped[datetime | None]


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
    # How far it has come, as it says itself.
    progress_done: Mapped[int | None] = mapped_column(BigInteger)
    progress_total: Mapped[int | None] = mapped_column(BigInteger)
    progress_text: Mapped[str | None] = mapped_column(String(200))
    # What kind of trouble ended it, and when the other side said that it may be asked again.
    error_class: Mapped[str | None] = mapped_column(String(16))
    come_back_at: Mapped[datetime | None]
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


class RunHour(Base):
    """How the runs of one schedule, or of a whole organization, ended that finished within one hour."""

    __tablename__ = "run_hours"
    __table_args__ = (Index("ix_run_hours_organization_id_hour", "organization_id", "hour"),)

    # The id of the schedule or the organization.
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    # Hours since 1970.
    hour: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    succeeded: Mapped[int]
    retried: Mapped[int]
    failed: Mapped[int]
    missed: Mapped[int]
    skipped: Mapped[int]
    cancelled: Mapped[int]


class RunHourMark(Base):
    """Until when an organization's runs are counted in its hours. Without a row none is."""

    __tablename__ = "run_hour_marks"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    counted_until: Mapped[datetime]
