"""The last runs of many schedules at once: as much of each as a strip shows. Bounded, however many there were."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session, aliased

from app.core.columns import UTCDateTime
from app.runs.models import Run
from app.runs.outcomes import Outcome, outcome_of
from app.runs.states import RunState
from app.schedules.models import Schedule

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class RecentRun:
    """One run: when it began or was due, and how long it took, or has taken up to now."""

    id: UUID
    outcome: Outcome
    at: datetime
    took: timedelta | None


def recent_runs(
    session: Session, *, organization_id: UUID, schedule_ids: Sequence[UUID], each: int, now: datetime
) -> dict[UUID, list[RecentRun]]:
    """The last runs of each schedule that has any, at most so many, the oldest first. One statement."""
    if not schedule_ids:
        return {}
    query = (
        select(Schedule.id, Run.id, Run.state, Run.attempt, Run.due_at, Run.started_at, Run.finished_at)
        .join(Schedule, Run.schedule_id == Schedule.id)
        .where(Schedule.organization_id == organization_id, Schedule.id.in_(schedule_ids))
        .where(Run.created_at >= made_at_of_nth_newest(each))
        .order_by(Run.created_at, Run.id)
    )
    found: dict[UUID, list[RecentRun]] = defaultdict(list)
    for schedule_id, run_id, state, attempt, due_at, started_at, finished_at in session.execute(query):
        outcome = outcome_of(RunState(state), is_retried=attempt > 1)
        took = None if started_at is None else (finished_at or now) - started_at
        found[schedule_id].append(RecentRun(run_id, outcome, started_at or due_at, took))
    # Several may have been made in the same instant as the first one.
    return {schedule_id: runs[-each:] for schedule_id, runs in found.items()}


def made_at_of_nth_newest(number: int) -> ColumnElement[datetime]:
    """When the run of a schedule was made behind which nobody looks, long ago where there are fewer.

    Part of a statement about schedules, to read their last runs by an index and never more.
    """
    nth = aliased(Run)
    made_at = select(nth.created_at).where(nth.schedule_id == Schedule.id).order_by(nth.created_at.desc())
    found = made_at.offset(number - 1).limit(1).correlate(Schedule).scalar_subquery()
    return func.coalesce(found, literal(_LONG_AGO, UTCDateTime()))
