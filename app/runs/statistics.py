"""Figures about runs: how many stand where, how they ended, and the last one of each schedule or job."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, String, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.questions import Question, ask
from app.jobs.models import Job
from app.runs.models import Run
from app.runs.queries import RunRow, in_dead_letter, row_of, select_runs
from app.runs.run_hours import NOTHING, Counts, counts_of_schedules
from app.runs.states import ACTIVE, RunState
from app.schedules.models import Schedule


@dataclass(frozen=True)
class ScheduleStats:
    """What the runs of one schedule say about it."""

    counts: Counts
    last: RunRow | None


def count_queue(session: Session, *, organization_id: UUID) -> dict[RunState, int]:
    """How many runs wait, run, wait for a retry, and lie in the dead letter (as `failed`)."""
    return ask(session, queue_counts(organization_id=organization_id))


def queue_counts(*, organization_id: UUID) -> Question[dict[RunState, int]]:
    """The same as a question."""
    live = [state.value for state in ACTIVE]
    here = Run.organization_id == organization_id
    alive = select(Run.state, func.count()).where(here, Run.state.in_(live)).group_by(Run.state)
    failed = literal(RunState.FAILED.value, String())
    dead = select(failed, func.count()).select_from(Run).where(here, *in_dead_letter())

    def take(rows: Sequence[Any]) -> dict[RunState, int]:
        found = {RunState(state): number for state, number in rows}
        return {RunState(state): found.get(RunState(state), 0) for state in (*live, RunState.FAILED)}

    return Question(union_all(alive, dead), take)


def schedule_stats(
    session: Session, *, organization_id: UUID, schedule_ids: Sequence[UUID], since: datetime
) -> dict[UUID, ScheduleStats]:
    """For each schedule: how its runs since the beginning of that hour ended, and its last one that was not skipped."""
    counts = counts_of_schedules(session, organization_id=organization_id, schedule_ids=schedule_ids, since=since)
    ids = ask(session, last_of_schedules(schedule_ids))
    return stats_of(schedule_ids, counts, these_runs(session, organization_id=organization_id, run_ids=ids))


def stats_of(
    schedule_ids: Sequence[UUID], counts: dict[UUID, Counts], runs: Sequence[RunRow]
) -> dict[UUID, ScheduleStats]:
    """The same of what was read already: how runs ended, and the last ones."""
    last = {row.schedule_id: row for row in runs}
    return {
        schedule_id: ScheduleStats(counts.get(schedule_id, NOTHING), last.get(schedule_id))
        for schedule_id in schedule_ids
    }


def last_runs_of_jobs(session: Session, *, organization_id: UUID, job_ids: Sequence[UUID]) -> dict[UUID, RunRow]:
    """For each job: its last run that was not skipped, if there is one."""
    ids = ask(session, last_of_jobs(job_ids))
    return {row.job_id: row for row in these_runs(session, organization_id=organization_id, run_ids=ids)}


# In two statements: PostgreSQL would look for the ids of the first one among all runs of the organization.
def last_of_schedules(schedule_ids: Sequence[UUID]) -> Question[list[UUID]]:
    """The ids of the last runs of schedules that were not skipped, for `these_runs`."""
    return _ids(select(_newest(Run.id, Run.schedule_id == Schedule.id)).where(Schedule.id.in_(schedule_ids)))


def last_of_jobs(job_ids: Sequence[UUID]) -> Question[list[UUID]]:
    """The same of jobs."""
    return _ids(select(_newest(Run.id, Run.job_id == Job.id)).where(Job.id.in_(job_ids)))


def these_runs(session: Session, *, organization_id: UUID, run_ids: Collection[UUID]) -> list[RunRow]:
    """The runs with these ids. One statement, and none without ids."""
    if not run_ids:
        return []
    return [row_of(found) for found in session.execute(select_runs(organization_id, Run.id.in_(run_ids)))]


def _ids(query: Select[UUID | None]) -> Question[list[UUID]]:
    return Question(query, lambda rows: [row[0] for row in rows if row[0] is not None])


def _newest(column: InstrumentedAttribute[Any], *which: ColumnElement[bool]) -> ScalarSelect[Any]:
    # Looked up by index for each owner: a window over all runs would read the whole history.
    query = select(column).where(*which, Run.state != RunState.SKIPPED.value)
    return query.order_by(Run.created_at.desc(), Run.id.desc()).limit(1).correlate(Schedule, Job).scalar_subquery()
