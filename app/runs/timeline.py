"""The runs of one schedule over a stretch of time, counted by the database: never more rows than a picture shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, case, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.seconds import UnixSeconds
from app.runs.filters import of_schedule
from app.runs.models import Run
from app.runs.outcomes import Outcome, outcome_of
from app.runs.states import RunState


@dataclass(frozen=True)
class RunBunch:
    """Runs of one outcome that began in the same column. `run_id` names the run where it is the only one."""

    column: int
    outcome: Outcome
    runs: int
    begin: datetime
    end: datetime
    run_id: UUID | None


def bunch_runs(
    session: Session, *, organization_id: UUID, schedule_id: UUID, since: datetime, width: timedelta, now: datetime
) -> list[RunBunch]:
    """The runs that went on at `since` or later, by columns of that width from then on. One statement.

    What began before belongs to the first column. Where a run never began, its time is the one it was due at.
    """
    mine = of_schedule(organization_id=organization_id, schedule_id=schedule_id)
    # Two ranges of one index: asked for together, the whole history would be read.
    over = _pieces(now).where(mine, Run.finished_at >= since)
    alive = _pieces(now).where(mine, Run.finished_at.is_(None))
    runs = union_all(over, alive).subquery("pieces").c
    column = case((runs.begin <= since, 0), else_=_whole_columns(runs.begin, since, width)).label("number")
    query = (
        # As text, because PostgreSQL before 18 knows no smallest id.
        select(column, runs.state, runs.is_retried, func.count(), func.min(runs.begin), func.max(runs.end),
               func.min(cast(runs.id, String)))
        .where(runs.end >= since)
        .group_by(column, runs.state, runs.is_retried)
    )  # fmt: skip
    bunches = [_bunch(*row) for row in session.execute(query)]
    return sorted(bunches, key=lambda bunch: (bunch.column, bunch.begin))


def _pieces(now: datetime) -> Select[Any]:
    begin = func.coalesce(Run.started_at, Run.due_at)
    end = case((Run.started_at.is_(None), Run.due_at), else_=func.coalesce(Run.finished_at, _moment(now)))
    return select(Run.id, Run.state, (Run.attempt > 1).label("is_retried"), begin.label("begin"), end.label("end"))


def _whole_columns(begin: ColumnElement[datetime], since: datetime, width: timedelta) -> ColumnElement[int]:
    # Of two whole numbers, both engines round the quotient down.
    return (UnixSeconds(begin) - int(since.timestamp())) // int(width.total_seconds())


def _moment(at: datetime) -> ColumnElement[datetime]:
    return literal(at, UTCDateTime())


def _bunch(
    column: int, state: str, is_retried: bool, runs: int, begin: datetime, end: datetime, run_id: str
) -> RunBunch:
    outcome = outcome_of(RunState(state), is_retried=bool(is_retried))
    return RunBunch(column, outcome, runs, begin, end, UUID(run_id) if runs == 1 else None)
