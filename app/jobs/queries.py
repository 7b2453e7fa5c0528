"""Reads of jobs, as frozen rows. Every one is scoped to an organization."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.policies import Backoff, RetryPolicy, WhenLost, read_not_on


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
    # Where it is defined in code; nothing for a job that people made.
    code_source: str | None = None
    left_code_at: datetime | None = None


def list_jobs(session: Session, *, organization_id: UUID) -> list[JobRow]:
    """All jobs of an organization, by name."""
    query = _jobs_of(organization_id).order_by(Job.name)
    return [_row(job) for job in session.scalars(query)]


def get_job(session: Session, *, organization_id: UUID, job_id: UUID) -> JobRow:
    """One job. Raises JobNotFound, also for a job of somebody else."""
    job = session.scalar(_jobs_of(organization_id).where(Job.id == job_id))
    if job is None:
        raise JobNotFound("There is no such job here. It may have been deleted.")
    return _row(job)


def lock_job(session: Session, *, organization_id: UUID, job_id: UUID) -> None:
    """Let nobody else change a job until this is committed. SQLite has one writer at a time anyway."""
    query = select(Job.id).where(Job.id == job_id, Job.organization_id == organization_id)
    session.execute(query.with_for_update(key_share=True))


def retry_policy_of(job: Job) -> RetryPolicy:
    """How often a job's runs are tried, as it says now."""
    return RetryPolicy(
        job.tries, job.retry_delay_seconds, Backoff(job.retry_backoff), WhenLost(job.when_lost),
        job.retry_longest_delay_seconds, job.retry_has_jitter, read_not_on(job.retry_not_on),
    )  # fmt: skip


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
        code_source=job.code_source,
        left_code_at=job.left_code_at,
    )
