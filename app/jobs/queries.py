"""Reads of jobs, as frozen rows. Every one is scoped to an organization."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, column, select, table
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.questions import Question, ask
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.policies import Priority, RetryPolicy

# The table belongs to `runs`, above this package; a job has to know its queue's name and nothing else of it.
_QUEUES = table("queues", column("name", String))


class JobNotFound(NotFound):
    """No such job in this organization."""


@dataclass(frozen=True)
class JobRow:
    """A job as pages, commands and other packages see it."""

    id: UUID
    organization_id: UUID
    name: str
    description: str
    kind: KindName
    definition: dict[str, Any]
    revision: int
    retry: RetryPolicy
    time_limit_seconds: int
    updated_at: datetime
    soft_limit_seconds: int | None = None
    # Unless one is named, its runs stand in the queue of its kind.
    queue: str | None = None
    priority: Priority = Priority.NORMAL
    concurrency: int | None = None
    # Where it is defined in code; nothing for a job that people made.
    code_source: str | None = None
    left_code_at: datetime | None = None


def list_jobs(session: Session, *, organization_id: UUID) -> list[JobRow]:
    """All jobs of an organization, by name."""
    query = _jobs_of(organization_id).order_by(Job.name)
    return [_row(job) for job in session.scalars(query)]


def has_job(session: Session, *, organization_id: UUID) -> bool:
    """Whether there is anything that could be run."""
    return bool(session.scalar(select(_jobs_of(organization_id).exists())))


def own_job(*, organization_id: UUID) -> Question[bool]:
    """Whether somebody made a job, or code did: those that sync came with the organization."""
    own = _jobs_of(organization_id).where(Job.kind != KindName.SYNC.value)
    return Question(select(own.exists()), lambda rows: bool(rows[0][0]))


def get_job(session: Session, *, organization_id: UUID, job_id: UUID) -> JobRow:
    """One job. Raises JobNotFound, also for a job of somebody else."""
    job = session.scalar(_jobs_of(organization_id).where(Job.id == job_id))
    if job is None:
        raise JobNotFound("There is no such job here. It may have been deleted.")
    return _row(job)


def list_queue_names(session: Session) -> list[str]:
    """The queues that a job may name."""
    return list(session.scalars(select(_QUEUES.c.name).order_by(_QUEUES.c.name)))


def why_gone(
    name: str, *, deleted_at: datetime | None, left_code_at: datetime | None, source: str | None
) -> str | None:
    """Why a job cannot be started any more, whoever asks; None while it can."""
    if deleted_at is not None:
        return f"“{name}” was deleted, so there is nothing left to run."
    if left_code_at is not None:
        return f"“{name}” is no longer defined in code (it was in {source}), so it can only be looked at."
    return None


def lock_job(session: Session, *, organization_id: UUID, job_id: UUID) -> None:
    """Let nobody else change a job until this is committed. SQLite has one writer at a time anyway."""
    query = select(Job.id).where(Job.id == job_id, Job.organization_id == organization_id)
    session.execute(query.with_for_update(key_share=True))


def retry_policy_of(job: Job) -> RetryPolicy:
    """How often a job's runs are tried, as it says now."""
    return RetryPolicy.stored_in(job)


def _jobs_of(organization_id: UUID) -> Select[Job]:
    return select(Job).where(Job.organization_id == organization_id, Job.deleted_at.is_(None))


def _row(job: Job) -> JobRow:
    return JobRow(
        id=job.id,
        organization_id=job.organization_id,
        name=job.name,
        description=job.description,
        kind=KindName(job.kind),
        definition=job.definition,
        revision=job.revision,
        retry=retry_policy_of(job),
        time_limit_seconds=job.time_limit_seconds,
        updated_at=job.updated_at,
        soft_limit_seconds=job.soft_limit_seconds,
        queue=job.queue,
        priority=Priority(job.priority),
        concurrency=job.concurrency,
        code_source=job.code_source,
        left_code_at=job.left_code_at,
    )


def job_names(session: Session, *, organization_id: UUID, job_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of these jobs, also of deleted ones."""
    return ask(session, names_of_jobs(organization_id=organization_id, job_ids=job_ids)) if job_ids else {}


def names_of_jobs(*, organization_id: UUID, job_ids: Collection[UUID]) -> Question[dict[UUID, str]]:
    """The same as a question."""
    query = select(Job.id, Job.name).where(Job.organization_id == organization_id, Job.id.in_(job_ids))
    return Question(query, lambda rows: {row.id: row.name for row in rows})
