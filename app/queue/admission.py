"""Which ready runs are next: as many as there is room for, with organizations in turn. One statement.

Whose organization has least in hand goes first; among those, whoever waits longest.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    case,
    func,
    literal_column,
    null,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from app.runs.models import QueueSwitch, Run, in_state
from app.runs.states import RunState

# Enough that a slot never waits for the next pass, few enough that a removal takes effect at once.
HINTS_PER_SLOT = 2
# A hint that nobody took for this long may be lost.
STALE_AFTER = timedelta(seconds=10)

# The moment so long before that of the statement.
Ago = Callable[[timedelta], ColumnElement[datetime]]
# How many runs the workers heard of lately take at once, all together.
LiveSlots = Callable[[Ago], ScalarSelect[int]]

NOW = timedelta(0)
_WAITING, _HINTED = Run.hinted_at.is_(None), Run.hinted_at.is_not(None)


def forget_stale(ago: Ago) -> Any:
    """Take hints back that nobody followed. For when no hint lies in the queue: those that do are only late."""
    return update(Run).where(in_state(RunState.READY), Run.hinted_at < ago(STALE_AFTER)).values(hinted_at=null())


def next_in_line(ago: Ago, *, live_slots: LiveSlots, own_slots: ColumnElement[int], lateral: bool) -> Select[Any]:
    """The ids of the runs to hint at, the first one first. `lateral`: whether the engine knows that word."""
    called = _called()
    free = select(_room(ago, called, live_slots, own_slots).c.free).scalar_subquery()
    candidates = _candidates(_lines(lateral=lateral), ago, free, lateral=lateral)
    turn = func.row_number().over(
        partition_by=candidates.c.organization_id, order_by=(candidates.c.ready_at, candidates.c.id)
    )
    in_hand = _in_hand(called)
    ranked = (
        select(candidates.c.id, candidates.c.ready_at, (turn + func.coalesce(in_hand.c.runs, 0)).label("turn"))
        .select_from(candidates.outerjoin(in_hand, in_hand.c.organization_id == candidates.c.organization_id))
        .subquery("ranked")
    )
    return select(ranked.c.id, ranked.c.turn, ranked.c.ready_at).order_by(
        ranked.c.turn, ranked.c.ready_at, ranked.c.id
    ).limit(free)  # fmt: skip


def _called() -> CTE:
    """The runs hinted at that nobody has claimed yet. There are few, however long the line is."""
    found = select(Run.organization_id, Run.queue, Run.ready_at).where(in_state(RunState.READY), _HINTED)
    # The order is that of the index to use. Without it PostgreSQL may look through the whole line for them.
    return _once(found.order_by(Run.hinted_at).cte("called"))


def _room(ago: Ago, called: CTE, live_slots: LiveSlots, own_slots: ColumnElement[int]) -> CTE:
    is_open = called.c.queue.not_in(select(QueueSwitch.name))
    taken = select(func.count()).select_from(called).where(called.c.ready_at <= ago(NOW), is_open).scalar_subquery()
    facts = _once(select(live_slots(ago).label("live"), taken.label("taken")).cte("facts"))
    slots = case((facts.c.live > own_slots, facts.c.live), else_=own_slots)
    free = slots * literal_column(str(HINTS_PER_SLOT)) - facts.c.taken
    return select(case((free > literal_column("0"), free), else_=literal_column("0")).label("free")).cte("room")


def _once(part: CTE) -> CTE:
    """Looked up once, and not at each mention."""
    return part.prefix_with("MATERIALIZED", dialect="postgresql")


def _lines(*, lateral: bool) -> CTE:
    """Every queue and organization for which a run waits, found by leaps over the index and not by reading the runs."""
    first = select(Run.queue, Run.organization_id).where(in_state(RunState.READY), _WAITING)
    first = first.order_by(Run.queue, Run.organization_id).limit(literal_column("1"))
    lines = select(first.subquery("first")).cte("lines", recursive=True)
    behind = aliased(Run)
    following = (
        select(behind.queue, behind.organization_id)
        .where(in_state(RunState.READY, behind), behind.hinted_at.is_(None))
        .where(tuple_(behind.queue, behind.organization_id) > tuple_(lines.c.queue, lines.c.organization_id))
        .order_by(behind.queue, behind.organization_id)
        .limit(literal_column("1"))
        .correlate(lines)
    )
    if lateral:
        # Nothing is joined by its id: planned for an empty table, that would read all runs there ever were.
        leap = following.lateral("leap")
        return lines.union_all(select(leap.c.queue, leap.c.organization_id).select_from(lines.join(leap, true())))
    found, leap_id = aliased(Run), following.with_only_columns(behind.id).scalar_subquery()
    return lines.union_all(
        select(found.queue, found.organization_id).select_from(lines.join(found, found.id == leap_id))
    )


def _candidates(lines: CTE, ago: Ago, free: ScalarSelect[Any], *, lateral: bool) -> FromClause:
    """The first of every open line, as many as there is room for: each could be the only one."""
    first = (
        select(Run.id, Run.organization_id, Run.ready_at)
        .where(Run.queue == lines.c.queue, Run.organization_id == lines.c.organization_id)
        .where(in_state(RunState.READY), _WAITING, Run.ready_at <= ago(NOW))
        .order_by(Run.ready_at, Run.id)
        .limit(free)
        .correlate(lines)
    )
    is_unpaused = lines.c.queue.not_in(select(QueueSwitch.name))
    if lateral:
        heads = first.lateral("heads")
        return select(heads).select_from(lines.join(heads, true())).where(is_unpaused).subquery("candidates")
    head = aliased(Run)
    ids = first.with_only_columns(Run.id)
    found = select(head.id, head.organization_id, head.ready_at).select_from(lines.join(head, head.id.in_(ids)))
    return found.where(is_unpaused).subquery("candidates")


def _in_hand(called: CTE) -> FromClause:
    """How many runs of each organization are running or hinted at."""
    running = select(Run.organization_id).where(in_state(RunState.RUNNING))
    both = union_all(running, select(called.c.organization_id)).subquery("both")
    return select(both.c.organization_id, func.count().label("runs")).group_by(both.c.organization_id).subquery("hand")
