"""What is said to the ledger and what it tells: a run to be, what a claim won, how an attempt ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row

from app.core.text import storable
from app.jobs.kinds.base import KindName
from app.jobs.policies import ErrorClass, Priority, RetryPolicy
from app.runs.models import Run
from app.runs.states import AttemptState, Trigger, Via
from app.tenants.access import Actor


@dataclass(frozen=True)
class RunRequest:
    """A run to be: a frozen copy of its job, and why it exists."""

    organization_id: UUID
    job_id: UUID
    job_name: str
    kind: KindName
    definition: dict[str, Any]
    retry: RetryPolicy
    time_limit_seconds: int
    queue: str
    trigger: Trigger
    due_at: datetime
    schedule_id: UUID | None = None
    slot_at: datetime | None = None
    requested_by: UUID | None = None
    request_key: str | None = None
    retry_of_run_id: UUID | None = None
    parent_run_id: UUID | None = None
    cause_run_id: UUID | None = None
    again_of_run_id: UUID | None = None
    requested_via: Via | None = None
    soft_limit_seconds: int | None = None
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True)
class Started:
    """What a claim won: everything an attempt needs to know about its run."""

    run_id: UUID
    organization_id: UUID
    job_id: UUID
    token: int
    attempt: int
    kind: KindName
    definition: dict[str, Any]
    time_limit_seconds: int
    retry: RetryPolicy
    soft_limit_seconds: int | None = None


@dataclass(frozen=True)
class AttemptEnd:
    """How an attempt ended. `error` is one plain sentence, `detail` may hold a trace."""

    state: AttemptState
    error: str | None = None
    detail: str | None = None
    result: dict[str, Any] | None = None
    error_class: ErrorClass | None = None
    come_back_at: datetime | None = None

    def __post_init__(self) -> None:
        # Jobs write these; a character that no database holds must not cost the outcome.
        object.__setattr__(self, "error", self.error and storable(self.error))
        object.__setattr__(self, "detail", self.detail and storable(self.detail))


@dataclass(frozen=True)
class Taking:
    """Which runs somebody starts: of these queues alone, or of all, and those alone that were called out of the line.

    One whose call was taken back gave its place to another, and is not to start by a hint that comes late.
    """

    queues: frozenset[str] | None = None
    is_called_alone: bool = False

    def allows(self) -> tuple[ColumnElement[bool], ...]:
        of_queues = () if self.queues is None else (Run.queue.in_(self.queues),)
        return of_queues + ((Run.hinted_at.is_not(None),) if self.is_called_alone else ())


ANYTHING = Taking()


def started_from(run: Run | Row[Any]) -> Started:
    """The facts of a run that an attempt works with."""
    return Started(
        run_id=run.id, organization_id=run.organization_id, job_id=run.job_id, token=run.token, attempt=run.attempt,
        kind=KindName(run.kind),
        # Unpacked, because JSON of another kind than an object is refused here, and not by each kind of job.
        definition={**run.definition},
        time_limit_seconds=run.time_limit_seconds,
        soft_limit_seconds=run.soft_limit_seconds,
        retry=RetryPolicy.stored_in(run),
    )  # fmt: skip


def via_of(actor: Actor) -> Via | None:
    """Through what they ask for a run; None for a page. People without an account have the installation's files."""
    if actor.scopes is not None:
        return Via.API
    return Via.TERMINAL if actor.user_id is None else None
