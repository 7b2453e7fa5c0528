"""What is known of runs that a worker holds: since when, under which token, and how long their jobs usually take."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from app.core.ranks import nearest_rank
from app.core.seconds import SecondsBetween
from app.runs.models import Attempt, Run, in_state
from app.runs.states import RunState
from app.runs.usual import FEWEST

# So many of a job's newest runs say how long it takes.
_LOOKED_AT = 200
_MOST_HELD = 1_000


@dataclass(frozen=True)
class HeldRun:
    """A run in a worker's hands. `began_at` is when the present try began."""

    run_id: UUID
    organization_id: UUID
    job_id: UUID
    job_name: str
    token: int
    worker: str
    began_at: datetime


@dataclass(frozen=True)
class JobLength:
    """How long the good runs of a job take: the half of them no longer than the one, nearly all than the other."""

    typical: timedelta
    p95: timedelta


def list_held(
    session: Session, *, organization_id: UUID | None, run_ids: Collection[UUID] | None = None
) -> list[HeldRun]:
    """Those that run now, of one organization or, as PLATFORM, of all; of these ids, or the longest thousand."""
    columns = Run.id, Run.organization_id, Run.job_id, Run.job_name, Run.token, Attempt.worker, Attempt.started_at
    this_try = (Attempt.run_id == Run.id) & (Attempt.token == Run.token)
    query = select(*columns).join(Attempt, this_try).where(in_state(RunState.RUNNING))
    if organization_id is not None:
        query = query.where(Run.organization_id == organization_id)
    if run_ids is not None:
        query = query.where(Run.id.in_(run_ids))
    return [HeldRun(*found) for found in session.execute(query.order_by(Attempt.started_at).limit(_MOST_HELD))]


def lengths_of_jobs(session: Session, *, job_ids: Collection[UUID]) -> dict[UUID, JobLength]:
    """How long the runs of these jobs take that went well at the first try. Jobs with fewer than three are left out."""
    if not job_ids:
        return {}
    columns = Run.job_id, Run.state, Run.attempt, SecondsBetween(Run.finished_at, Run.started_at).label("took")
    newest = [
        select(*columns).where(Run.job_id == job_id).order_by(Run.created_at.desc()).limit(_LOOKED_AT).subquery()
        for job_id in job_ids
    ]
    some = union_all(*(select(each) for each in newest)).subquery()
    went_well = some.c.state == RunState.SUCCEEDED.value, some.c.attempt <= 1, some.c.took.is_not(None)
    lengths: dict[UUID, list[float]] = defaultdict(list)
    for job_id, took in session.execute(select(some.c.job_id, some.c.took).where(*went_well)):
        lengths[job_id].append(float(took))
    return {job_id: _length_of(found) for job_id, found in lengths.items() if len(found) >= FEWEST}


def _length_of(lengths: list[float]) -> JobLength:
    return JobLength(*(timedelta(milliseconds=round(nearest_rank(lengths, percent) * 1000)) for percent in (50, 95)))
