"""Figures of the queues: how many runs stand where, since when, and how long they wait. None is a whole count."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session

from app.core.seconds import SecondsBetween
from app.runs.filters import runs_of
from app.runs.models import Run, in_state
from app.runs.queries import in_dead_letter
from app.runs.states import RunState

# No page counts further.
MOST_COUNTED = 10_000
# How long runs waited is told by so many of those that ended within the last hour.
_MOST_WAITS = 1_000
_WAITS_SHOWN = timedelta(hours=1)
_LIVE = (RunState.READY, RunState.WAITING, RunState.RUNNING, RunState.WAITING_RETRY)


@dataclass(frozen=True)
class StateFigures:
    """Runs of one state, in one queue: how many, the first one made, and when the first may start."""

    runs: int = 0
    made_at: datetime | None = None
    ready_at: datetime | None = None

    def __add__(self, other: "StateFigures") -> "StateFigures":
        made = [at for at in (self.made_at, other.made_at) if at is not None]
        ready = [at for at in (self.ready_at, other.ready_at) if at is not None]
        return StateFigures(self.runs + other.runs, min(made, default=None), min(ready, default=None))


NOTHING = StateFigures()


@dataclass(frozen=True)
class Waits:
    """How long runs waited for a slot, of those that ended within the last hour; None where none did."""

    half: timedelta | None = None
    most: timedelta | None = None


NO_WAITS = Waits()


@dataclass(frozen=True)
class QueueFigures:
    """Figures by queue and state. `cut` are the states of which there are more than were counted."""

    by_queue: dict[str, dict[RunState, StateFigures]]
    cut: frozenset[RunState]
    waits: dict[str, Waits] = field(default_factory=dict)
    all_waits: Waits = NO_WAITS

    def of(self, state: RunState, queue: str | None = None) -> StateFigures:
        """Of one state, `failed` being the dead letters, in one queue or in all."""
        if queue is not None:
            return self.by_queue.get(queue, {}).get(state, NOTHING)
        return sum((figures.get(state, NOTHING) for figures in self.by_queue.values()), NOTHING)

    def sum_of(self, states: Sequence[RunState], queue: str | None = None) -> StateFigures:
        return sum((self.of(state, queue) for state in states), NOTHING)

    def is_cut(self, states: Sequence[RunState]) -> bool:
        return not self.cut.isdisjoint(states)


def read_figures(session: Session, *, organization_id: UUID | None, now: datetime) -> QueueFigures:
    """How the runs of each queue stand, of one organization or, as PLATFORM, of all. Two statements."""
    which: dict[RunState, tuple[ColumnElement[bool], ...]] = {state: (in_state(state),) for state in _LIVE}
    which[RunState.FAILED] = in_dead_letter()
    here = () if organization_id is None else (Run.organization_id == organization_id,)
    # Each by an index of its own, and no further than a page counts.
    columns = Run.queue, Run.state, Run.created_at, Run.ready_at
    parts = [
        select(
            select(*columns)
            .where(*here, *condition)
            .order_by(*_order(state, is_of_all=organization_id is None))
            .limit(MOST_COUNTED + 1)
            .subquery()
        )
        for state, condition in which.items()
    ]
    some = union_all(*parts).subquery()
    figures = select(some.c.queue, some.c.state, func.count(), func.min(some.c.created_at), func.min(some.c.ready_at))
    by_queue: dict[str, dict[RunState, StateFigures]] = defaultdict(dict)
    counted: dict[RunState, int] = defaultdict(int)
    for queue, state, runs, made_at, ready_at in session.execute(figures.group_by(some.c.queue, some.c.state)):
        by_queue[queue][RunState(state)] = StateFigures(runs, made_at, ready_at)
        counted[RunState(state)] += runs
    waits, all_waits = _read_waits(session, runs_of(organization_id), now)
    cut = frozenset(state for state, runs in counted.items() if runs > MOST_COUNTED)
    return QueueFigures(dict(by_queue), cut, waits, all_waits)


def _order(state: RunState, *, is_of_all: bool) -> tuple[Any, ...]:
    # The oldest that wait, and the next to be tried, must be among those that are counted. Any of the others will do.
    if state is RunState.READY:
        return (Run.ready_at if is_of_all else Run.created_at,)
    return (Run.ready_at,) if state is RunState.WAITING_RETRY else ()


def _read_waits(session: Session, here: ColumnElement[bool], now: datetime) -> tuple[dict[str, Waits], Waits]:
    waited = SecondsBetween(Run.started_at, Run.created_at)
    query: Select[Any, Any] = (
        select(Run.queue, waited)
        .where(here, Run.finished_at.is_not(None), Run.finished_at > now - _WAITS_SHOWN, Run.started_at.is_not(None))
        .order_by(Run.finished_at.desc())
        .limit(_MOST_WAITS)
    )
    seconds: dict[str, list[float]] = defaultdict(list)
    for queue, length in session.execute(query):
        seconds[queue].append(max(0.0, float(length)))
    everything = [length for lengths in seconds.values() for length in lengths]
    return {queue: _waits_of(lengths) for queue, lengths in seconds.items()}, _waits_of(everything)


def _waits_of(lengths: list[float]) -> Waits:
    ordered = sorted(lengths)
    return Waits(_rank(ordered, 0.5), _rank(ordered, 0.95)) if ordered else NO_WAITS


def _rank(ordered: list[float], share: float) -> timedelta:
    """The nearest rank: a length that did occur."""
    place = min(len(ordered) - 1, int(share * len(ordered)))
    return timedelta(milliseconds=round(ordered[place] * 1000))
