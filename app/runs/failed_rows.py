"""What fails, told once each: the runs of a schedule since the last good one, and the dead letters of each job.

Bounded, however often something failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, func, literal, select
from sqlalchemy.orm import Session, aliased

from app.core.columns import UTCDateTime
from app.core.questions import Question
from app.runs.models import Run, in_state
from app.runs.queries import RunRow, in_dead_letter, row_of, select_runs
from app.runs.states import RunState
from app.schedules.models import Schedule

# Failed runs of one schedule are counted up to here.
MOST_COUNTED = 100
# So many of its newest runs are looked through for a good one.
_LOOKED_THROUGH = 10_000
# The newest dead letters by which jobs are found and counted.
_MOST_DEAD = 10_000
# Made once: to make one takes longer than all else of a statement.
_GOOD = aliased(Run, name="good")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class FailedRow:
    """The failed runs of one schedule or job. `is_cut` says that there are more of them than were counted.

    `since` is when the first of them failed, None where that is too long ago to know. `newest` is None for none.
    """

    subject_id: UUID
    runs: int
    is_cut: bool
    since: datetime | None
    newest: RunRow | None


@dataclass(frozen=True)
class Failures:
    """The same before anybody has read the newest run: its id."""

    subject_id: UUID
    runs: int
    is_cut: bool
    since: datetime | None
    newest_id: UUID | None


@dataclass(frozen=True)
class JobFailures:
    """Some jobs, the one that failed last first, and how many there are."""

    rows: tuple[Failures, ...] = ()
    all: int = 0


NO_FAILURES = JobFailures()


def with_newest(session: Session, found: Sequence[Failures], *, organization_id: UUID) -> list[FailedRow]:
    """The newest run of each. One statement, or none."""
    newest = _rows(session, organization_id, [one.newest_id for one in found if one.newest_id is not None])
    return [
        FailedRow(one.subject_id, one.runs, one.is_cut, one.since, newest.get(one.newest_id) if one.newest_id else None)
        for one in found
    ]


def failures_of_schedules(*, organization_id: UUID, schedule_ids: Sequence[UUID]) -> Question[list[Failures]]:
    """The failed runs of each of these few schedules since its last good one."""
    mine = Schedule.organization_id == organization_id, Schedule.id.in_(schedule_ids)
    good_and_long = _last_good().label("good_at"), _is_long().label("is_long")
    # Its limit keeps it apart: inside the comparison below, row security would keep it from using an index.
    each = select(Schedule.id, *good_and_long).where(*mine).limit(len(schedule_ids)).subquery()
    failed = (
        in_state(RunState.FAILED), Run.schedule_id == each.c.id,
        Run.created_at > func.coalesce(each.c.good_at, literal(_LONG_AGO, UTCDateTime())),
    )  # fmt: skip
    some = select(Run.id).where(*failed).limit(MOST_COUNTED + 1).correlate(each).subquery()
    query = select(
        each.c.id,
        each.c.good_at,
        each.c.is_long,
        select(func.count()).select_from(some).scalar_subquery(),
        _first(Run.finished_at, Run.created_at, *failed).correlate(each).scalar_subquery(),
        _first(Run.id, Run.created_at.desc(), *failed).correlate(each).scalar_subquery(),
    )
    return Question(query, lambda rows: [_of_schedule(*row) for row in rows])


def _of_schedule(
    schedule_id: UUID, good_at: datetime | None, is_long: bool, runs: int, since: datetime | None, run_id: UUID | None
) -> Failures:
    # Of a long history without a good run nobody knows where it began.
    began_at = None if good_at is None and is_long else since
    return Failures(schedule_id, min(runs, MOST_COUNTED), runs > MOST_COUNTED, began_at, run_id)


def failures_of_jobs(*, organization_id: UUID, limit: int) -> Question[JobFailures]:
    """The dead letters that are of no schedule, by their jobs: so many jobs at most.

    A job that went well by hand since it last failed works again, and is none of them.
    """
    columns = Run.id, Run.job_id, Run.finished_at, Run.created_at
    dead = select(*columns).where(Run.organization_id == organization_id, *in_dead_letter(), Run.schedule_id.is_(None))
    some = dead.order_by(Run.finished_at.desc(), Run.id.desc()).limit(_MOST_DEAD).subquery().c
    of_job: dict[str, Any] = {"partition_by": some.job_id}
    place = func.row_number().over(order_by=(some.finished_at.desc(), some.id.desc()), **of_job)
    runs, since = func.count().over(**of_job), func.min(some.finished_at).over(**of_job)
    looked_at = func.count().over()
    ranked = select(
        some.job_id, some.id, some.finished_at, some.created_at, runs.label("runs"), since.label("since"),
        place.label("place"), looked_at.label("looked_at"),
    ).subquery().c  # fmt: skip
    recovered = select(_GOOD.id).where(
        _GOOD.job_id == ranked.job_id, _GOOD.created_at > ranked.created_at, _GOOD.schedule_id.is_(None),
        _GOOD.state == RunState.SUCCEEDED.value,
    )  # fmt: skip
    query = select(
        ranked.job_id, ranked.runs, ranked.since, ranked.id, ranked.looked_at, func.count().over()
    ).where(ranked.place == 1, ~recovered.exists())  # fmt: skip
    return Question(query.order_by(ranked.finished_at.desc(), ranked.id.desc()).limit(limit), _of_jobs)


def _of_jobs(rows: Sequence[Any]) -> JobFailures:
    found = (
        Failures(job_id, runs, looked_at >= _MOST_DEAD, None if looked_at >= _MOST_DEAD else since, run_id)
        for job_id, runs, since, run_id, looked_at, _jobs in rows
    )
    return JobFailures(tuple(found), rows[0][-1] if rows else 0)


def _last_good() -> ScalarSelect[datetime]:
    """When the last run was made that went well, of the schedule that the statement around reads."""
    mine = Run.schedule_id == Schedule.id
    newest = select(Run.state, Run.created_at).where(mine).order_by(Run.created_at.desc()).limit(_LOOKED_THROUGH)
    runs = newest.correlate(Schedule).subquery().c
    return select(runs.created_at).where(runs.state == RunState.SUCCEEDED.value).limit(1).scalar_subquery()


def _is_long() -> ColumnElement[bool]:
    behind = select(Run.created_at).where(Run.schedule_id == Schedule.id).order_by(Run.created_at.desc())
    return behind.offset(_LOOKED_THROUGH).limit(1).correlate(Schedule).exists()


def _first(column: Any, order: Any, *conditions: ColumnElement[bool]) -> Any:
    return select(column).where(*conditions).order_by(order).limit(1)


def _rows(session: Session, organization_id: UUID, run_ids: Sequence[UUID]) -> dict[UUID, RunRow]:
    if not run_ids:
        return {}
    found = (row_of(row) for row in session.execute(select_runs(organization_id, Run.id.in_(run_ids))))
    return {row.id: row for row in found}
