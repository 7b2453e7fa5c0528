"""How long the runs of a schedule take: its last ones, and the longest of a month. Bounded, however many there were."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.seconds import SecondsBetween
from app.runs.filters import of_schedule
from app.runs.models import Run
from app.runs.outcomes import Outcome, outcome_of
from app.runs.states import RunState

# Behind so many that were skipped, nobody looks for one that ran.
_MOST_LOOKED_AT = 500
_MOST_COMPARED = 10_000


@dataclass(frozen=True)
class RunLength:
    """How long a run took that came to an end by itself."""

    run_id: UUID
    outcome: Outcome
    started_at: datetime
    took: timedelta


@dataclass(frozen=True)
class Longest:
    """The longest good run among so many. `is_all` says that there were no more of them since then."""

    took: timedelta
    runs: int
    is_all: bool


def last_lengths(session: Session, *, organization_id: UUID, schedule_id: UUID, limit: int) -> list[RunLength]:
    """The last runs that succeeded or failed after they had started, the oldest first."""
    newest = (
        select(Run.id, Run.state, (Run.attempt > 1).label("is_retried"), Run.started_at, Run.finished_at)
        .where(of_schedule(organization_id=organization_id, schedule_id=schedule_id), Run.finished_at.is_not(None))
        .order_by(Run.finished_at.desc())
        .limit(_MOST_LOOKED_AT)
        .subquery("newest")
    ).c
    ended = newest.state.in_([RunState.SUCCEEDED.value, RunState.FAILED.value])
    query = (
        select(newest.id, newest.state, newest.is_retried, newest.started_at, newest.finished_at)
        .where(ended, newest.started_at.is_not(None))
        .order_by(newest.finished_at.desc())
        .limit(limit)
    )
    found = [
        RunLength(
            run_id, outcome_of(RunState(state), is_retried=bool(is_retried)), started_at, finished_at - started_at
        )
        for run_id, state, is_retried, started_at, finished_at in session.execute(query)
    ]
    return found[::-1]


def longest_since(session: Session, *, organization_id: UUID, schedule_id: UUID, since: datetime) -> Longest | None:
    """The longest run since then that succeeded, out of the newest ten thousand; None where none did."""
    newest = (
        select(SecondsBetween(Run.finished_at, Run.started_at).label("seconds"))
        .where(
            of_schedule(organization_id=organization_id, schedule_id=schedule_id),
            Run.finished_at >= since,
            Run.state == RunState.SUCCEEDED.value,
            Run.started_at.is_not(None),
        )
        .order_by(Run.finished_at.desc())
        .limit(_MOST_COMPARED)
        .subquery("newest")
    ).c
    seconds, runs = session.execute(select(func.max(newest.seconds), func.count())).one()
    if seconds is None:
        return None
    # A file keeps fractions of a day, which come out a few microseconds short.
    return Longest(timedelta(milliseconds=round(float(seconds) * 1000)), runs, is_all=runs < _MOST_COMPARED)
