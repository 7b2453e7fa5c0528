"""How long the runs of a schedule take: its last ones, and the longest of a month. Bounded, however many there were."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Subquery, func, select, true
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


@dataclass(frozen=True)
class LastLengths:
    """The last runs, the oldest first, and the longest good one of a longer time; None where none was good."""

    runs: tuple[RunLength, ...] = ()
    longest: Longest | None = None


def last_lengths(
    session: Session, *, organization_id: UUID, schedule_id: UUID, limit: int, longest_since: datetime
) -> LastLengths:
    """The last runs that succeeded or failed after they had started, and the longest since then. One statement."""
    mine = of_schedule(organization_id=organization_id, schedule_id=schedule_id)
    newest, longest = _newest(mine), _longest(mine, longest_since)
    ended = newest.c.state.in_([RunState.SUCCEEDED.value, RunState.FAILED.value])
    query = (
        select(newest, longest)
        .join_from(newest, longest, true())
        .where(ended, newest.c.started_at.is_not(None))
        .order_by(newest.c.finished_at.desc())
        .limit(limit)
    )
    found = session.execute(query).all()
    return LastLengths(tuple(_length(row) for row in reversed(found)), _longest_of(found[0]) if found else None)


def _newest(mine: ColumnElement[bool]) -> Subquery:
    return (
        select(Run.id, Run.state, (Run.attempt > 1).label("is_retried"), Run.started_at, Run.finished_at)
        .where(mine, Run.finished_at.is_not(None))
        .order_by(Run.finished_at.desc())
        .limit(_MOST_LOOKED_AT)
        .subquery("newest")
    )


def _longest(mine: ColumnElement[bool], since: datetime) -> Subquery:
    """One row, which is put beside each of the others."""
    good = (
        select(SecondsBetween(Run.finished_at, Run.started_at).label("seconds"))
        .where(mine, Run.finished_at >= since, Run.state == RunState.SUCCEEDED.value, Run.started_at.is_not(None))
        .order_by(Run.finished_at.desc())
        .limit(_MOST_COMPARED)
        .subquery("good")
    )
    return select(func.max(good.c.seconds).label("seconds"), func.count().label("runs")).subquery("longest")


def _length(row: Row[Any]) -> RunLength:
    outcome = outcome_of(RunState(row.state), is_retried=bool(row.is_retried))
    return RunLength(row.id, outcome, row.started_at, row.finished_at - row.started_at)


def _longest_of(row: Row[Any]) -> Longest | None:
    if row.seconds is None:
        return None
    # A file keeps fractions of a day, which come out a few microseconds short.
    took = timedelta(milliseconds=round(float(row.seconds) * 1000))
    return Longest(took, row.runs, is_all=row.runs < _MOST_COMPARED)
