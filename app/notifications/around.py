"""What is looked up around an incident for a message of it alone: its next try, and when it last went well."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session

from app.notifications.cases import Case
from app.notifications.wording import Around
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Schedule

# A login that many jobs read through went well when one of the first of them did.
MOST_JOBS = 10


def read_around(session: Session, case: Case) -> Around:
    """Of its schedule; without one of its job, or of the jobs that read through its connection. Works as ENGINE."""
    if case.schedule_id is None:
        jobs = [UUID(one) for one in case.about.job_ids[:MOST_JOBS]] if case.job_id is None else [case.job_id]
        return Around(last_success_at=_last_success_of(session, case.organization_id, jobs))
    mine = Schedule.id == case.schedule_id, Schedule.organization_id == case.organization_id
    next_at = session.scalar(select(Schedule.next_run_at).where(*mine, Schedule.enabled))
    ended = Run.schedule_id == case.schedule_id, Run.finished_at.is_not(None)
    went_well = select(Run.finished_at).where(*ended, Run.state == RunState.SUCCEEDED.value)
    last = session.scalar(went_well.order_by(Run.finished_at.desc()).limit(1))
    return Around(next_at, last)


def _last_success_of(session: Session, organization_id: UUID, job_ids: Sequence[UUID]) -> datetime | None:
    if not job_ids:
        return None
    # Each by itself, for the index is by job.
    newest = [_newest(organization_id, job_id).subquery() for job_id in job_ids]
    all_of_them = union_all(*(select(one.c.finished_at) for one in newest)).subquery()
    last: datetime | None = session.scalar(select(func.max(all_of_them.c.finished_at)))
    return last


def _newest(organization_id: UUID, job_id: UUID) -> Select[datetime | None]:
    mine = Run.job_id == job_id, Run.organization_id == organization_id
    query = select(Run.finished_at).where(*mine, Run.state == RunState.SUCCEEDED.value)
    return query.order_by(Run.created_at.desc()).limit(1)
