"""What the list of jobs shows, made of what several packages know. Reads, never writes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.jobs.kinds.base import JobKinds
from app.jobs.queries import list_jobs
from app.runs.statistics import last_runs_of_jobs
from app.schedules.names import schedules_by_job
from app.web.pages.badges import Badge, badge_of
from app.web.pages.job_form import KIND_WORDS, why_fixed, why_kept


@dataclass(frozen=True)
class JobListRow:
    """One line of the list. `request_key` makes a double click one run; `fixed` says why nobody may change the job,
    and `kept` why nobody may delete it."""

    id: UUID
    name: str
    kind: str
    does: str
    # The id and the name of each.
    schedules: tuple[tuple[UUID, str], ...]
    badge: Badge | None
    last_run_id: UUID | None
    last_at: datetime | None
    request_key: str
    fixed: str
    kept: str


def read_jobs(session: Session, *, organization_id: UUID, kinds: JobKinds) -> tuple[JobListRow, ...]:
    """All jobs of an organization, with their schedules and last runs."""
    jobs = list_jobs(session, organization_id=organization_id)
    last = last_runs_of_jobs(session, organization_id=organization_id, job_ids=[job.id for job in jobs])
    schedules = schedules_by_job(session, organization_id=organization_id)
    rows = []
    for job in jobs:
        run = last.get(job.id)
        rows.append(
            JobListRow(
                id=job.id,
                name=job.name,
                kind=KIND_WORDS[job.kind],
                does=kinds[job.kind].describe(job.definition),
                schedules=tuple(schedules.get(job.id, ())),
                badge=None if run is None else badge_of(run),
                last_run_id=None if run is None else run.id,
                last_at=None if run is None else run.started_at or run.due_at,
                request_key=new_id().hex,
                fixed=why_fixed(job),
                kept=why_kept(job),
            )
        )
    return tuple(rows)
