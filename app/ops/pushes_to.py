"""What is pushed to a spreadsheet: the jobs that do it, their tabs, and the jobs after which they start."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.models import Job, JobChain
from app.jobs.sync_jobs import reads_from

# More than anybody reads; a tab each.
MOST_SHOWN = 50


@dataclass(frozen=True)
class PushTo:
    """A job that pushes. `after` are the names of the jobs that start it when they have ended."""

    job_id: UUID
    name: str
    tab: str
    after: tuple[str, ...]


def list_pushes(session: Session, *, organization_id: UUID, connection_id: UUID) -> list[PushTo]:
    """Those to one spreadsheet, the oldest first. Two statements."""
    here = Job.organization_id == organization_id, Job.deleted_at.is_(None)
    query = select(Job.id, Job.name, Job.definition).where(*here, *reads_from([connection_id]))
    found = session.execute(query.order_by(Job.created_at, Job.id).limit(MOST_SHOWN)).all()
    if not found:
        return []
    starters: Mapping[UUID, list[str]] = _starters(session, organization_id, [each.id for each in found])
    return [PushTo(each.id, each.name, _tab(each.definition), tuple(starters[each.id])) for each in found]


def _starters(session: Session, organization_id: UUID, job_ids: list[UUID]) -> Mapping[UUID, list[str]]:
    query = (
        select(JobChain.then_job_id, Job.name)
        .join(Job, Job.id == JobChain.job_id)
        .where(JobChain.organization_id == organization_id, JobChain.then_job_id.in_(job_ids), Job.deleted_at.is_(None))
        .order_by(Job.name)
        .distinct()
    )
    names: dict[UUID, list[str]] = defaultdict(list)
    for job_id, name in session.execute(query):
        names[job_id].append(name)
    return names


def _tab(definition: Mapping[str, Any]) -> str:
    plan = definition.get("push")
    return str(plan.get("tab", "")) if isinstance(plan, Mapping) else ""
