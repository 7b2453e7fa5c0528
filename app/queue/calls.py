"""Calling runs out of the line: choosing and marking them, within all limits, whoever else does the same just now."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    cast,
    extract,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.db import Database, again_after_conflict
from app.core.lane import Lane, Step, Values
from app.core.scopes import ENGINE
from app.queue.admission import next_in_line
from app.queue.aside import HeldUp
from app.queue.called import Called
from app.queue.lines import is_waiting
from app.queue.moments import SessionMoments
from app.queue.room import NOW, ONE, Places, Terms, once, tokens_left
from app.runs.line_lock import LINE_LOCK
from app.runs.models import Run, in_state
from app.runs.queue_models import ConnectionLimit, Queue
from app.runs.states import RunState
from app.runs.steps import any_of, is_state, moments

# What is to be done before, in the same transaction: as steps of a lane, or in a session.
DoFirst = Callable[[Session, datetime], None]

# How often a pass waits for others to be done before it is given up; the sweep makes up for it.
MOST_WAITS = 5
# How soon it is asked again whether workers have followed as many hints of a queue as its rate lets lie there.
UNFOLLOWED_SECONDS = 1.0
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class Standing:
    """How the line stands after a pass, and all queues there are."""

    queues: frozenset[str] = frozenset()
    # Runs that are called and not claimed yet, and whether there are others that were not called.
    called: int = 0
    is_waiting: bool = False
    # In how many seconds a rate or an account lets the next one start; None when none holds anything up.
    frees_in: float | None = None
    # In how many seconds the first of those that wait for their next try may start; None when none does.
    retry_in: float | None = None


@dataclass(frozen=True)
class Round:
    """What one pass came to."""

    called: list[Called]
    # Those that stand at the head of their line at a limit of their own, and hide others.
    held_up: list[HeldUp]
    standing: Standing


def lane_terms() -> tuple[ColumnElement[datetime], Terms]:
    """The moment of a step, and what a step is told by it."""
    now, ago = moments()
    return now, Terms(ago, lambda moment: cast(extract("epoch", now.op("-")(moment)), Float), lateral=True)


class Caller:
    """Calls runs for somebody's places. What the places ask for by parameters is handed in with each call."""

    def __init__(self, database: Database, clock: Clock, places: Places, *, waited: timedelta = NOW) -> None:
        """`waited` is how long a run has been ready before it is called."""
        self._database = database
        self._clock = clock
        self._moments = SessionMoments()
        self._terms = Terms(self._moments.ago, self._moments.seconds_since, lateral=False)
        self._places, self._waited = places, waited

    # The statements are long, and each engine needs its own alone: each is made when it is first asked for.

    @cached_property
    def _line(self) -> Select[Any]:
        return next_in_line(self._terms, self._places, waited=self._waited)

    @cached_property
    def _standing(self) -> Select[Any]:
        return _standing(self._terms)

    @cached_property
    def _call_step(self) -> Step:
        return _call_step(self._places, self._waited)

    @cached_property
    def _standing_step(self) -> Step:
        return Step(_standing(lane_terms()[1]))

    def call(self, values: Values, *, steps: Sequence[tuple[Step, Values]] = (), do: DoFirst | None = None) -> Round:
        """Call the next runs, and mark them as called. Two who call at once never exceed a limit together.

        Before that, `steps` or `do`, whichever the engine knows.
        """
        lane = self._database.lane
        if lane is None:
            return self._database.run(ENGINE, lambda session: self._by_session(session, values, do))
        return again_when_busy(lambda: self._by_lane(lane, values, steps))

    def _by_lane(self, lane: Lane, values: Values, steps: Sequence[tuple[Step, Values]]) -> Round:
        now = {"now": self._clock.moment}
        first = [(ENGINE, step, {**now, **given}) for step, given in steps]
        own = (ENGINE, self._call_step, {**now, **values}), (ENGINE, self._standing_step, now)
        *_, line, standing = lane.ask((ENGINE, _LOCK, {}), *first, *own)
        return _round(line, standing)

    def _by_session(self, session: Session, values: Values, do: DoFirst | None) -> Round:
        now = self._clock.now(session)
        if do is not None:
            do(session, now)
        # Made first: to make a statement is to say which moments it needs.
        line_query, standing_query = self._line, self._standing
        given = {**values, **self._moments.values(now)}
        line = session.execute(line_query, given).all()
        called = [row for row in line if row.goes]
        if called:
            self._mark(session, called, given)
        return _round(line, session.execute(standing_query, given).all())

    def _mark(self, session: Session, called: Sequence[Any], given: Values) -> None:
        now = self._terms.ago(NOW)
        marked = update(Run).where(Run.id.in_([row.id for row in called])).values(hinted_at=now)
        session.execute(marked.execution_options(synchronize_session=False), given)
        for name, number in Counter(row.queue for row in called).items():
            spent = update(Queue).where(Queue.name == name, Queue.rate_starts.is_not(None))
            spent = spent.values(tokens=tokens_left(self._terms) - number, tokens_at=now)
            session.execute(spent.execution_options(synchronize_session=False), given)


def _call_step(places: Places, waited: timedelta) -> Step:
    """Choose and mark in one statement; a row for each, the first one first."""
    now, terms = lane_terms()
    line = next_in_line(terms, places, waited=waited).cte("line")
    # Somebody may take one of them off the queue meanwhile: whoever comes second passes it over.
    still_waits = is_state(RunState.READY), Run.hinted_at.is_(None)
    locked = select(Run.id).where(Run.id == any_of(select(line.c.id).where(line.c.goes)), *still_waits)
    locked = locked.with_for_update(skip_locked=True)
    called = (
        update(Run).where(Run.id == any_of(locked)).values(hinted_at=now).returning(Run.id, Run.queue).cte("called")
    )
    starts = select(called.c.queue, func.count().label("number")).group_by(called.c.queue).subquery("starts")
    spent = (
        update(Queue)
        .where(Queue.name == starts.c.queue, Queue.rate_starts.is_not(None))
        .values(tokens=tokens_left(terms) - starts.c.number, tokens_at=now)
        .cte("spent")
    )
    told = select(line.c.id, line.c.queue, line.c.goes, line.c.is_full_job).outerjoin(called, called.c.id == line.c.id)
    told = told.where(or_(called.c.id.is_not(None), ~line.c.goes))
    return Step(told.add_cte(spent).order_by(line.c.turn, line.c.ready_at, line.c.id))


def _standing(terms: Terms) -> Select[Any]:
    """A row for each queue, with what concerns all of them in each."""
    is_called = in_state(RunState.READY), Run.hinted_at.is_not(None)
    called = once(select(Run.queue).where(*is_called).order_by(Run.hinted_at).cte("called"))
    of_queue = select(func.count()).select_from(called).where(called.c.queue == Queue.name)
    # In the order of the index of each kind of line, or another one is read from end to end.
    in_line = select(Run.id).where(*is_waiting(is_aside=False)).order_by(Run.queue, Run.organization_id)
    aside = select(Run.id).where(*is_waiting(is_aside=True)).order_by(Run.job_id)
    waiting = [line.limit(ONE).scalar_subquery().is_not(None) for line in (in_line, aside)]
    until = ConnectionLimit.limited_until
    account_in = select(func.min(-terms.seconds_since(until))).where(until > terms.ago(NOW))
    retry_in = select(-terms.seconds_since(Run.ready_at)).where(in_state(RunState.WAITING_RETRY))
    token_in = (ONE - tokens_left(terms)) * cast(Queue.rate_seconds, Float) / Queue.rate_starts
    return select(
        Queue.name,
        token_in.label("token_in"),
        Queue.rate_starts,
        of_queue.scalar_subquery().label("called"),
        or_(*waiting).label("is_waiting"),
        account_in.scalar_subquery().label("account_in"),
        retry_in.order_by(Run.ready_at).limit(ONE).scalar_subquery().label("retry_in"),
    ).order_by(Queue.name)


_LOCK = Step(LINE_LOCK)


def _round(line: Sequence[Any], standing: Sequence[Any]) -> Round:
    seconds = [row.token_in for row in standing] + [row.account_in for row in standing[:1]]
    waits = [float(one) for one in seconds if one is not None and one > 0]
    # Of a queue whose rate lets no more hints lie there it is not time that frees the next one, but workers do.
    waits += [UNFOLLOWED_SECONDS for row in standing if row.rate_starts is not None and row.called >= row.rate_starts]
    return Round(
        called=[Called(row.id, row.queue) for row in line if row.goes],
        held_up=[HeldUp(row.id, bool(row.is_full_job)) for row in line if not row.goes],
        standing=Standing(
            queues=frozenset(row.name for row in standing),
            called=sum(row.called for row in standing),
            is_waiting=any(row.is_waiting for row in standing),
            frees_in=min(waits, default=None),
            retry_in=next((float(row.retry_in) for row in standing[:1] if row.retry_in is not None), None),
        ),
    )


def again_when_busy(attempt: Callable[[], Round]) -> Round:
    """Call it, and again while others hold the line for longer than a lane waits."""
    for _ in range(MOST_WAITS - 1):
        try:
            return again_after_conflict(attempt)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
    return again_after_conflict(attempt)
