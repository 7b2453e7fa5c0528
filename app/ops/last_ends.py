"""How the last run of each schedule ended, as a part of statements that read schedules. Bounded for each of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Subquery, case, literal_column, select

from app.ops.schedule_health import OVER
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Gap, Schedule
from app.schedules.policies import MISSED_REASONS

# A schedule may have done nothing but skip for a long time: nobody looks behind so many, a month of one a minute.
LOOKED_AT = 45_000
_OVER = tuple(state.value for state in OVER)


def last_end(*, before: datetime | None = None) -> ColumnElement[str]:
    """The state in which the last run ended that says something about a schedule, however long ago that was.

    Slots that nobody executed count as one that was missed, until the next run ends. With `before`, as it was just
    before that moment. NULL where there is none.
    """
    newest = newest_runs(Run.state, where=() if before is None else (Run.created_at < before,))
    ended = select(newest.c.state).where(newest.c.state.in_(_OVER)).limit(1).scalar_subquery()
    return case((_is_missed(before), literal_column(f"'{RunState.MISSED.value}'")), else_=ended)


def newest_runs(
    *columns: Any, where: Sequence[ColumnElement[bool]] = (), beside: Sequence[FromClause] = ()
) -> Subquery:
    """The newest runs of the schedule that the statement around reads, or what is beside it, the newest first.

    Who takes the first of them needs no order: with one, a file would read and sort them all.
    """
    mine = select(*columns).where(Run.schedule_id == Schedule.id, *where)
    return mine.order_by(Run.created_at.desc()).limit(LOOKED_AT).correlate(Schedule, *beside).subquery()


def _is_missed(before: datetime | None) -> ColumnElement[bool]:
    """Whether the newest slots that nobody executed are newer than each run that has ended."""
    missed = [Gap.schedule_id == Schedule.id, Gap.reason.in_(MISSED_REASONS)]
    made = [] if before is None else [Run.created_at < before]
    if before is not None:
        missed.append(Gap.last_slot_at < before)
    newest = select(Gap.last_slot_at).where(*missed).order_by(Gap.first_slot_at.desc()).limit(1)
    gap = newest.correlate(Schedule).subquery("gap")
    since = newest_runs(Run.state, where=(Run.created_at > gap.c.last_slot_at, *made), beside=(gap,))
    is_over = select(since.c.state).where(since.c.state.in_(_OVER)).exists()
    return select(gap.c.last_slot_at).where(~is_over).exists()
