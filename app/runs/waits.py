"""Runs whose wait is over: for the time of their next try, for the run before them, or for those they started."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    and_,
    case,
    exists,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from app.runs.models import Run, in_state
from app.runs.states import Reason, RunState


def waits_that_are_over(now: ColumnElement[datetime], limit: ColumnElement[int]) -> CompoundSelect[Any]:
    """The ids of such runs, each reason by itself: few wait for others, and an index leads to those who do."""
    for_time = in_state(RunState.WAITING_RETRY), Run.ready_at <= now
    for_another = in_state(RunState.WAITING), _is_for(Reason.OVERLAP), ~_before()
    for_children = in_state(RunState.WAITING), _is_for(Reason.CHILDREN), ~_child()
    # Each within brackets of its own: SQLite knows no limit of a part.
    parts = (select(Run.id).where(*which).limit(limit).subquery() for which in (for_time, for_another, for_children))
    return union_all(*(select(part.c.id) for part in parts))


def error_after_wait() -> ColumnElement[str | None]:
    """What a run says of trouble when its wait is over: nothing of the run that it waited for."""
    return case((_is_for(Reason.OVERLAP), null()), else_=Run.error)


def _is_for(reason: Reason) -> ColumnElement[bool]:
    return Run.reason == literal_column(f"'{reason.value}'")


def those_before() -> tuple[type[Run], ColumnElement[bool]]:
    """Another run of the schedule without an end, which goes first: it is on its way, or its slot is an earlier one."""
    other = aliased(Run)
    # One that waits for those it started is on its way as well.
    is_waiting = other.state == literal_column(f"'{RunState.WAITING.value}'")
    is_on_its_way = ~and_(is_waiting, other.reason == literal_column(f"'{Reason.OVERLAP.value}'"))
    is_earlier = tuple_(other.created_at, other.slot_at, other.id) < tuple_(Run.created_at, Run.slot_at, Run.id)
    has_no_end = and_(other.schedule_id == Run.schedule_id, other.finished_at.is_(None), other.id != Run.id)
    return other, and_(has_no_end, or_(is_on_its_way, is_earlier))


def _before() -> ColumnElement[bool]:
    _, goes_first = those_before()
    return exists().where(goes_first).correlate(Run)


def _child() -> ColumnElement[bool]:
    child = aliased(Run)
    return exists().where(child.parent_run_id == Run.id, child.finished_at.is_(None)).correlate(Run)
