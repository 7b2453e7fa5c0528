"""Reads of the runs before and after one, of the same schedule, or of its job where no schedule made it. Bounded."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.runs.filters import of_schedule
from app.runs.models import Run
from app.runs.queries import RunRow, row_of, select_runs
from app.runs.recent import RECENT_COLUMNS, ListedRun, RecentRun, among_missed, listed_run
from app.runs.states import RunState
from app.schedules.gaps import missed_until

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# Behind so many that failed, nobody looks for one that went well.
MOST_LOOKED_AT = 10_000


@dataclass(frozen=True)
class Neighbours:
    """The runs around one, itself among them, the oldest first; and the next one on either side."""

    runs: list[ListedRun]
    previous: UUID | None
    following: UUID | None
    # Whether there is none before the first or behind the last of them.
    has_oldest: bool
    has_newest: bool


def neighbours_of(session: Session, run: RunRow, *, most: int, now: datetime) -> Neighbours:
    """At most so many runs with this one in the middle, or nearer to an end where there are fewer. Two statements."""
    made = tuple_(Run.created_at, Run.id)
    here = (run.created_at, run.id)
    columns = select(Run.id, *RECENT_COLUMNS).where(*_alike(run)).limit(most - 1)
    newer = session.execute(columns.where(made > here).order_by(Run.created_at, Run.id)).all()
    # With itself, as it stands in the same instant as the others.
    older = session.execute(
        columns.limit(most).where(made <= here).order_by(Run.created_at.desc(), Run.id.desc())
    ).all()
    after = min(len(newer), max((most - 1) // 2, most - len(older)))
    before = older[: most - after]
    shown = [*reversed(before), *newer[:after]]
    return Neighbours(
        runs=[listed_run(row, now) for row in shown],
        previous=older[1].id if len(older) > 1 else None,
        following=newer[0].id if newer else None,
        has_oldest=len(before) == len(older) < most,
        has_newest=after == len(newer) < most - 1,
    )


def marks_around(session: Session, run: RunRow, found: Neighbours, *, most: int, now: datetime) -> list[RecentRun]:
    """Neighbours with the slots that nobody executed among them, and the run still in the middle. One statement."""
    if run.schedule_id is None:
        return list(found.runs)
    since = _LONG_AGO if found.has_oldest else found.runs[0].at
    until = now if found.has_newest else found.runs[-1].at
    gaps = missed_until(
        session, organization_id=run.organization_id, schedule_id=run.schedule_id, until=until, limit=most
    )
    marks = among_missed(found.runs, gaps, of_each=most, since=since, until=until)
    place = next(index for index, mark in enumerate(marks) if mark.id == run.id)
    first = max(0, min(place - most // 2, len(marks) - most))
    return marks[first : first + most]


def last_good_before(session: Session, run: RunRow) -> RunRow | None:
    """The last run that went well of those that were made before it; None where there is none, or too far back."""
    found_id = last_good_id_before(session, run)
    if found_id is None:
        return None
    return row_of(session.execute(select_runs(run.organization_id, Run.id == found_id)).one())


def last_good_id_before(session: Session, run: RunRow) -> UUID | None:
    """The id of that run."""
    earlier = (*_alike(run), tuple_(Run.created_at, Run.id) < (run.created_at, run.id))
    window = (
        select(Run.id, Run.state, Run.created_at)
        .where(*earlier)
        .order_by(Run.created_at.desc(), Run.id.desc())
        .limit(MOST_LOOKED_AT)
        .subquery()
    )
    good = select(window.c.id).where(window.c.state == RunState.SUCCEEDED.value).limit(1)
    return session.scalar(good.order_by(window.c.created_at.desc(), window.c.id.desc()))


def _alike(run: RunRow) -> tuple[ColumnElement[bool], ...]:
    if run.schedule_id is not None:
        return (of_schedule(organization_id=run.organization_id, schedule_id=run.schedule_id),)
    # Asked of the job, and not for the organization of runs, for the same reason.
    mine = select(Job.id).where(Job.id == run.job_id, Job.organization_id == run.organization_id)
    return Run.job_id == mine.scalar_subquery(), Run.schedule_id.is_(None)
