"""Dead letters by what caused them: how many of each, since when, and one of their errors. Bounded, however many."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.runs.causes import cause_of
from app.runs.models import Run
from app.runs.queries import in_dead_letter
from app.runs.queue_filter import QueueFilter
from app.runs.states import Reason
from app.schedules.models import Schedule

# So many dead letters are put in groups.
MOST_GROUPED = 100_000
# Of how many schedules those of a cause are, is told by so many of the newest.
_MOST_COMPARED = 1_000
# Of which jobs they are, by fewer: names are in no index.
_MOST_NAMED = 100
_FILLED_AT_ONCE = 500

Conditions = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True)
class CauseGroup:
    """Dead letters of one cause. `error` is that of the newest one; `schedules` counts those of the newest thousand.

    `job_name` is that of most of the newest hundred, and `other_jobs` how many others these have.
    """

    cause: str
    runs: int
    first_at: datetime
    last_at: datetime
    job_name: str
    reason: Reason | None
    error: str | None
    schedules: int
    other_jobs: int
    # The one whose runs they are; None where they are of several, or of none.
    schedule_id: UUID | None = None
    # By which clock that one goes.
    timezone: str | None = None

    @property
    def jobs_words(self) -> str:
        """“Orders”, “Orders and 1 other job”."""
        if not self.other_jobs:
            return self.job_name
        return f"{self.job_name} and {self.other_jobs} other job{'' if self.other_jobs == 1 else 's'}"


@dataclass(frozen=True)
class CauseGroups:
    """The largest groups. `is_all` says that there are no others; `were_cut` that older dead letters are in none."""

    groups: list[CauseGroup]
    is_all: bool
    were_cut: bool


def list_causes(session: Session, *, organization_id: UUID | None, wanted: QueueFilter, limit: int = 20) -> CauseGroups:
    """The largest groups of dead letters, of one organization or, as PLATFORM, of all. Two statements.

    Of `wanted` only queue, job, schedule and cause narrow them.
    """
    grouped = session.execute(_grouped(organization_id, wanted).limit(limit + 1)).all()
    shown = grouped[:limit]
    newest = _newest_of(session, _which(organization_id, wanted), [row.cause for row in shown])
    groups = [
        CauseGroup(row.cause, row.runs, row.first_at, row.last_at, *newest[row.cause])
        for row in shown
        # One that was dealt with between the two statements.
        if row.cause in newest
    ]
    return CauseGroups(groups, is_all=len(grouped) <= limit, were_cut=bool(shown) and shown[0].looked > MOST_GROUPED)


def count_of_causes(
    session: Session, *, organization_id: UUID, wanted: QueueFilter, causes: Collection[str]
) -> dict[str, int]:
    """How many dead letters of each of these causes one organization has. Causes that it has none of are left out."""
    if not causes:
        return {}
    which = *_which(organization_id, wanted), Run.cause.in_(causes)
    some = select(Run.cause).where(*which).limit(MOST_GROUPED).subquery("some")
    found = session.execute(select(some.c.cause, func.count()).group_by(some.c.cause))
    return {row[0]: row[1] for row in found}


def fill_causes(session: Session) -> int:
    """Work out the causes of some dead letters that an earlier version left without. Works as the engine.

    Returns how many there were.
    """
    lacking = *in_dead_letter(), Run.cause.is_(None)
    found = session.execute(select(Run.id, Run.error).where(*lacking).order_by(Run.id).limit(_FILLED_AT_ONCE)).all()
    for run_id, error in found:
        count_changed(session, update(Run).where(Run.id == run_id, *lacking).values(cause=cause_of(error)))
    return len(found)


def _grouped(organization_id: UUID | None, wanted: QueueFilter) -> Select[Any, Any, Any, Any, Any]:
    which = *_which(organization_id, wanted), Run.cause.is_not(None)
    # All columns are in an index, so that no row of the table need be read. One more than are counted tells that it
    # was cut; which ones are left out then is left to the database, because to put all in an order takes as long again.
    some = select(Run.cause, Run.finished_at).where(*which).limit(MOST_GROUPED + 1).subquery("some")
    return (
        select(
            some.c.cause,
            func.count().label("runs"),
            func.min(some.c.finished_at).label("first_at"),
            func.max(some.c.finished_at).label("last_at"),
            func.sum(func.count()).over().label("looked"),
        )
        .group_by(some.c.cause)
        .order_by(func.count().desc(), func.max(some.c.finished_at).desc(), some.c.cause)
    )


def _newest_of(
    session: Session, which: Conditions, causes: list[str]
) -> dict[str, tuple[str, Reason | None, str | None, int, int, UUID | None, str | None]]:
    """For each cause the job most are of, reason and error of the newest run, how many schedules and other jobs, and
    the schedule of the newest run, and its clock, where it is the only one."""
    if not causes:
        return {}
    newest = [_newest(which, cause) for cause in causes]
    found = session.execute(union_all(*(select(one.subquery()) for one in newest)))
    return {
        row.of_cause: (
            row.most_of or row.job_name,
            Reason(row.reason) if row.reason else None,
            row.error,
            row.schedules,
            max(0, (row.jobs or 1) - 1),
            *((row.schedule_id, row.timezone) if row.schedules == 1 else (None, None)),
        )
        for row in found
    }


def _newest(which: Conditions, cause: str) -> Select[Any, Any, Any, Any, Any]:
    newest_first = Run.finished_at.desc(), Run.id.desc()
    mine = *which, Run.cause == cause
    some = select(Run.schedule_id).where(*mine).order_by(*newest_first).limit(_MOST_COMPARED).subquery()
    schedules = select(func.count(some.c.schedule_id.distinct())).scalar_subquery()
    named = select(Run.job_id, Run.job_name).where(*mine).order_by(*newest_first).limit(_MOST_NAMED).subquery()
    jobs = select(func.count(named.c.job_id.distinct())).scalar_subquery()
    name = func.max(named.c.job_name)
    most_of = select(name).group_by(named.c.job_id).order_by(func.count().desc(), name).limit(1).scalar_subquery()
    timezone = select(Schedule.timezone).where(Schedule.id == Run.schedule_id).scalar_subquery()
    found = select(
        literal(cause).label("of_cause"), Run.job_name, Run.reason, Run.error, schedules.label("schedules"),
        jobs.label("jobs"), most_of.label("most_of"), Run.schedule_id, timezone.label("timezone"),
    )  # fmt: skip
    return found.where(*mine).order_by(*newest_first).limit(1)


def _which(organization_id: UUID | None, wanted: QueueFilter) -> Conditions:
    here = () if organization_id is None else (Run.organization_id == organization_id,)
    pairs = ((Run.queue, wanted.queue), (Run.job_id, wanted.job_id), (Run.schedule_id, wanted.schedule_id))
    narrowing = [column == value for column, value in (*pairs, (Run.cause, wanted.cause)) if value]
    return *here, *in_dead_letter(), *narrowing
