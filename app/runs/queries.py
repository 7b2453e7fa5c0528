"""Reads of runs, as frozen rows. Every one is scoped to an organization, unless its name says otherwise."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased, defer

from app.core.errors import NotFound
from app.core.questions import Question
from app.jobs.models import Job
from app.jobs.policies import RetryPolicy
from app.jobs.queries import why_gone
from app.runs.models import Run, in_state
from app.runs.states import TERMINAL, Reason, RunState, Trigger, Via
from app.schedules.models import Schedule

# Made once: to make one takes longer than all else of a statement.
_RETRY = aliased(Run, name="retry")
_STATE_WORDS = {
    RunState.READY: "has not started yet",
    RunState.RUNNING: "is still running",
    RunState.WAITING: "still waits for other runs",
    RunState.WAITING_RETRY: "will be tried again by itself",
    RunState.SUCCEEDED: "succeeded",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "was cancelled",
    RunState.SKIPPED: "was skipped",
    RunState.MISSED: "was missed",
}


class RunNotFound(NotFound):
    """No such run in this organization."""


@dataclass(frozen=True)
class RunRow:
    """A run as lists show it."""

    id: UUID
    organization_id: UUID
    job_id: UUID
    job_name: str
    schedule_id: UUID | None
    schedule_name: str | None
    trigger: Trigger
    state: RunState
    reason: Reason | None
    error: str | None
    attempt: int
    tries: int
    due_at: datetime
    ready_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    worker: str | None
    requested_by: UUID | None
    requested_via: Via | None
    retry_of_run_id: UUID | None
    retried_by_run_id: UUID | None
    removed_at: datetime | None
    kind: str
    queue: str
    parent_run_id: UUID | None
    cause_run_id: UUID | None
    again_of_run_id: UUID | None
    slow_at: datetime | None
    cancel_requested_at: datetime | None
    cancel_words: str | None
    soft_limit_seconds: int | None
    # Why its job cannot be started any more; nothing while it can.
    job_gone: str | None = None
    # What its error shares with others of the same cause.
    cause: str | None = None
    # By which clock its schedule goes; None where no schedule started it.
    timezone: str | None = None

    @property
    def lateness(self) -> timedelta | None:
        """How long after its time it started."""
        return None if self.started_at is None else self.started_at - self.due_at

    @property
    def duration(self) -> timedelta | None:
        """From the first start to the end, waits between tries included."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at

    @property
    def is_over(self) -> bool:
        return self.state in TERMINAL

    @property
    def waits(self) -> bool:
        """Whether it is yet to start, or to start again."""
        return self.state in {RunState.READY, RunState.WAITING, RunState.WAITING_RETRY}

    @property
    def is_being_cancelled(self) -> bool:
        """Whether it goes on although somebody asked it to stop: it has not noticed yet."""
        return self.state is RunState.RUNNING and self.cancel_requested_at is not None

    @property
    def is_slow(self) -> bool:
        """Whether it goes on for longer than expected."""
        return self.state is RunState.RUNNING and self.slow_at is not None

    @property
    def can_cancel(self) -> bool:
        """Whether it can be cancelled: it waits, or goes on and was not asked to stop yet."""
        return self.waits or (self.state is RunState.RUNNING and self.cancel_requested_at is None)

    @property
    def can_retry_now(self) -> bool:
        """Whether somebody may cut its wait for the next try short, or give it up."""
        return self.state is RunState.WAITING_RETRY

    @property
    def can_retry(self) -> bool:
        """Whether another go can be asked for: it failed, nobody asked yet, and its job can still be started."""
        return self.wants_retry and self.job_gone is None

    @property
    def wants_retry(self) -> bool:
        """Whether it failed and nobody asked for another go yet, be that possible or not."""
        return self.state is RunState.FAILED and self.retried_by_run_id is None

    @property
    def why_not_again(self) -> str | None:
        """Why it cannot be run once more; None where it can."""
        if not self.is_over:
            return f"Only a run that has ended can be run again; this one {_STATE_WORDS[self.state]}."
        return self.job_gone

    @property
    def why_not_retry(self) -> str | None:
        """Why another go cannot be asked for; None where it can."""
        if self.can_retry:
            return None
        if self.retried_by_run_id is not None:
            return "This run was retried already. Retry the newer run instead."
        if self.state is not RunState.FAILED:
            return f"Only a failed run can be retried; this one {_STATE_WORDS[self.state]}."
        return self.job_gone

    @property
    def can_remove(self) -> bool:
        """Whether it can be taken off the queue: it waits, or it failed and is still listed."""
        return self.waits or (self.wants_retry and self.removed_at is None)


def get_run(session: Session, *, organization_id: UUID, run_id: UUID) -> RunRow:
    """One run. Raises RunNotFound, also for a run of somebody else."""
    found = session.execute(select_runs(organization_id, Run.id == run_id)).one_or_none()
    if found is None:
        raise RunNotFound("There is no such run here. It may have been cleaned up.")
    return row_of(found)


def good_run(*, organization_id: UUID) -> Question[bool]:
    """Whether any run went well, however long ago."""
    good = select(Run.id).where(Run.organization_id == organization_id, Run.state == RunState.SUCCEEDED.value)
    # In the order of an index, which finds one without looking through all that did not.
    newest = good.where(Run.created_at.is_not(None)).order_by(Run.created_at.desc()).limit(1)
    return Question(newest, bool)


def run_names(session: Session, *, organization_id: UUID, run_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of the jobs of these runs."""
    query = select(Run.id, Run.job_name).where(Run.organization_id == organization_id, Run.id.in_(run_ids))
    return {found.id: found.job_name for found in session.execute(query)}


def definition_of_run(session: Session, *, run: RunRow) -> dict[str, Any]:
    """What a run does, as its job said when it was made; nothing where that cannot be read."""
    query = select(Run.definition).where(Run.id == run.id, Run.organization_id == run.organization_id)
    try:
        return session.scalars(query).one_or_none() or {}
    except ValueError:
        return {}


def keep_run(session: Session, *, organization_id: UUID, run_id: UUID) -> None:
    """Let nobody delete a run until this is committed. SQLite has one writer at a time anyway."""
    query = select(Run.id).where(Run.id == run_id, Run.organization_id == organization_id)
    session.execute(query.with_for_update(read=True, key_share=True))


def retry_policy_of_run(session: Session, *, organization_id: UUID, run_id: UUID) -> RetryPolicy:
    """How often a run is tried and how long it waits in between, as it stood when the run was made."""
    query = select(Run).options(defer(Run.definition, raiseload=True))
    run = session.scalars(query.where(Run.id == run_id, Run.organization_id == organization_id)).one()
    return RetryPolicy.stored_in(run)


def earliest_ready_across_tenants(session: Session) -> datetime | None:
    """When the next retry may start: how long a scheduler may sleep."""
    return session.scalar(select(func.min(Run.ready_at)).where(in_state(RunState.WAITING_RETRY)))


def in_dead_letter() -> tuple[ColumnElement[bool], ...]:
    """Failed runs that nobody retried or removed."""
    return in_state(RunState.FAILED), Run.dismissed_at.is_(None)


def select_runs(
    organization_id: UUID, *conditions: ColumnElement[bool]
) -> Select[Run, str, UUID, datetime | None, datetime | None, str | None, str]:
    """Runs with name and clock of their schedule, the run that retried them, and whether their job is still there.

    That is what `row_of` reads.
    """
    return select_all_runs(Run.organization_id == organization_id, *conditions)


def select_all_runs(
    *conditions: ColumnElement[bool],
) -> Select[Run, str, UUID, datetime | None, datetime | None, str | None, str]:
    """The same of whatever organization the conditions name: whoever calls it says whose runs they are."""
    return (
        # Without its definition: no list shows it, and one that cannot be read must not take the list with it.
        select(Run, Schedule.name, _RETRY.id, Job.deleted_at, Job.left_code_at, Job.code_source, Schedule.timezone)
        .options(defer(Run.definition, raiseload=True))
        .outerjoin(Schedule, Schedule.id == Run.schedule_id)
        .outerjoin(_RETRY, _RETRY.retry_of_run_id == Run.id)
        .join(Job, Job.id == Run.job_id)
        .where(*conditions)
    )


def row_of(found: Sequence[Any]) -> RunRow:
    """A row of `select_runs` as pages see it: its first seven columns."""
    run, schedule_name, retried_by, deleted_at, left_code_at, source, timezone = found[:7]
    return RunRow(
        id=run.id,
        organization_id=run.organization_id,
        job_id=run.job_id,
        job_name=run.job_name,
        schedule_id=run.schedule_id,
        schedule_name=schedule_name,
        trigger=Trigger(run.trigger),
        state=RunState(run.state),
        reason=Reason(run.reason) if run.reason else None,
        error=run.error,
        attempt=run.attempt,
        tries=run.tries,
        due_at=run.due_at,
        ready_at=run.ready_at,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        worker=run.worker,
        requested_by=run.requested_by,
        requested_via=Via(run.requested_via) if run.requested_via else None,
        retry_of_run_id=run.retry_of_run_id,
        retried_by_run_id=retried_by,
        removed_at=run.removed_at,
        kind=run.kind,
        queue=run.queue,
        parent_run_id=run.parent_run_id,
        cause_run_id=run.cause_run_id,
        again_of_run_id=run.again_of_run_id,
        slow_at=run.slow_at,
        cancel_requested_at=run.cancel_requested_at,
        cancel_words=run.cancel_words,
        soft_limit_seconds=run.soft_limit_seconds,
        cause=run.cause,
        timezone=timezone,
        job_gone=why_gone(run.job_name, deleted_at=deleted_at, left_code_at=left_code_at, source=source),
    )
