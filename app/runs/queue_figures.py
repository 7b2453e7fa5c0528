"""Figures of the queues: how many runs stand where, since when, and how long they wait. None is a whole count."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, union_all
from sqlalchemy.orm import Session

from app.core.questions import Question, ask_together
from app.core.ranks import nearest_rank
from app.core.seconds import SecondsBetween
from app.runs.filters import MOST_COUNTED, runs_of
from app.runs.models import Run, in_state
from app.runs.queries import in_dead_letter
from app.runs.states import RunState

# How long runs waited is told by so many of those that ended within the last hour.
_MOST_WAITS = 1_000
_WAITS_SHOWN = timedelta(hours=1)
_LIVE = (RunState.READY, RunState.WAITING, RunState.RUNNING, RunState.WAITING_RETRY)


@dataclass(frozen=True)
class Waits:
    """How long runs waited for a slot, of those that ended within the last hour; None where none did."""

    half: timedelta | None = None
    most: timedelta | None = None


NO_WAITS = Waits()


@dataclass(frozen=True)
class QueueFigures:
    """Counts by queue and state, `failed` being the dead letters. `cut` are the states of which there are more.

    `oldest_at` is when the first of those was made that are ready to start, `next_try_at` when the next try may begin.
    """

    counts: dict[str, dict[RunState, int]]
    cut: frozenset[RunState] = frozenset()
    oldest_at: datetime | None = None
    next_try_at: datetime | None = None
    waits: dict[str, Waits] = field(default_factory=dict)
    all_waits: Waits = NO_WAITS

    def sum_of(self, states: Sequence[RunState], queue: str | None = None) -> int:
        """How many stand in one of these states, in one queue or in all."""
        queues = self.counts.values() if queue is None else [self.counts.get(queue, {})]
        return sum(counts.get(state, 0) for counts in queues for state in states)

    def is_cut(self, states: Sequence[RunState]) -> bool:
        """Whether there are more of these than were counted."""
        return not self.cut.isdisjoint(states)


def read_figures(session: Session, *, organization_id: UUID | None, now: datetime) -> QueueFigures:
    """How the runs of each queue stand, of one organization or, as PLATFORM, of all. One statement."""
    return figures_of(*ask_together(session, *figure_questions(organization_id=organization_id, now=now)))


def figure_questions(
    *, organization_id: UUID | None, now: datetime
) -> tuple[Question[Sequence[Any]], Question[tuple[dict[str, Waits], Waits]]]:
    """The same as questions, whose answers `figures_of` takes."""
    return Question(_count_runs(organization_id), lambda rows: rows), _waits(runs_of(organization_id), now)


def _count_runs(organization_id: UUID | None) -> Select[*tuple[Any, ...]]:
    which: dict[RunState, tuple[ColumnElement[bool], ...]] = {state: (in_state(state),) for state in _LIVE}
    which[RunState.FAILED] = in_dead_letter()
    here = () if organization_id is None else (Run.organization_id == organization_id,)
    # Each by an index of its own, in no order, and no further than a page counts.
    parts = [
        select(select(Run.queue, Run.state).where(*here, *condition).limit(MOST_COUNTED + 1).subquery())
        for condition in which.values()
    ]
    some = union_all(*parts).subquery()
    # Of everybody's, the one that may start first is as good as the oldest, and has an index.
    oldest_at = _first(Run.ready_at if organization_id is None else Run.created_at, *here, in_state(RunState.READY))
    next_try_at = _first(Run.ready_at, *here, in_state(RunState.WAITING_RETRY))
    columns = some.c.queue, some.c.state, func.count(), oldest_at, next_try_at
    return select(*columns).group_by(some.c.queue, some.c.state)


def figures_of(found: Sequence[Any], waited: tuple[dict[str, Waits], Waits]) -> QueueFigures:
    """What the answers come to."""
    counts: dict[str, dict[RunState, int]] = defaultdict(dict)
    totals: dict[RunState, int] = defaultdict(int)
    for queue, state, runs, _oldest, _next in found:
        counts[queue][RunState(state)] = runs
        totals[RunState(state)] += runs
    waits, all_waits = waited
    cut = frozenset(state for state, runs in totals.items() if runs > MOST_COUNTED)
    for state in cut:
        # The one more that told of the others is none of those that are counted.
        largest = max(counts.values(), key=lambda states: states.get(state, 0))
        largest[state] -= 1
    return QueueFigures(
        dict(counts),
        cut=cut,
        oldest_at=found[0][3] if found else None,
        next_try_at=found[0][4] if found else None,
        waits=waits,
        all_waits=all_waits,
    )


def _first(moment: Any, *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(moment).where(*conditions).order_by(moment).limit(1).scalar_subquery()


def _waits(here: ColumnElement[bool], now: datetime) -> Question[tuple[dict[str, Waits], Waits]]:
    waited = SecondsBetween(Run.started_at, Run.created_at)
    query: Select[Any, Any] = (
        select(Run.queue, waited)
        .where(here, Run.finished_at.is_not(None), Run.finished_at > now - _WAITS_SHOWN, Run.started_at.is_not(None))
        .order_by(Run.finished_at.desc())
        .limit(_MOST_WAITS)
    )
    return Question(query, _waits_by_queue)


def _waits_by_queue(rows: Sequence[Any]) -> tuple[dict[str, Waits], Waits]:
    seconds: dict[str, list[float]] = defaultdict(list)
    for queue, length in rows:
        seconds[queue].append(max(0.0, float(length)))
    everything = [length for lengths in seconds.values() for length in lengths]
    return {queue: _waits_of(lengths) for queue, lengths in seconds.items()}, _waits_of(everything)


def _waits_of(lengths: list[float]) -> Waits:
    return Waits(_rank(lengths, 50), _rank(lengths, 95)) if lengths else NO_WAITS


def _rank(lengths: list[float], percent: int) -> timedelta:
    # A file keeps fractions of a day, which come out a few microseconds short.
    return timedelta(milliseconds=round(nearest_rank(lengths, percent) * 1000))
