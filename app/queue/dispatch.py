"""Ready runs become hints, a few more than there are slots. The line stays in the database; repeating is harmless."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, bindparam, literal, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.columns import UTCDateTime
from app.core.config import Settings
from app.core.db import Database, again_after_conflict
from app.core.lane import Lane, Step
from app.core.scopes import ENGINE, Scope
from app.core.troubles import Trouble
from app.queue.admission import LiveSlots, forget_stale, next_in_line
from app.queue.broker import Hints, make_huey
from app.queue.late_pass import LatePass
from app.queue.link import BrokerAway
from app.queue.tasks import make_hints
from app.runs import ledger
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.runs.steps import any_of, is_state, make_ready, moments
from app.runs.waits import waits_that_are_over

log = logging.getLogger(__name__)

# A worker that works off a line asks for more when it has taken as many as it has slots, and at least this often.
PASS_SECONDS = 0.05
MOST_WOKEN = 200


class Pace:
    """Counts runs and looks at the time, so that not each of many short runs asks for the next one."""

    def __init__(self, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._lock = Lock()
        self._count = 0
        self._last = -PASS_SECONDS

    def is_due(self, count: int) -> bool:
        """Whether this is the last of so many, or the first after a while."""
        with self._lock:
            self._count += 1
            now = self._ticks()
            if self._count < count and now - self._last < PASS_SECONDS:
                return False
            self._count, self._last = 0, now
            return True


@dataclass(frozen=True)
class Dispatcher:
    """Hands ready runs to the workers. `own_slots` are those of this process, which counts before it was heard of."""

    database: Database
    clock: Clock
    hints: Hints
    live_slots: LiveSlots
    own_slots: int
    _hint_step: Step = field(init=False, compare=False, repr=False)
    _pace: Pace = field(default_factory=Pace, init=False, compare=False)
    _trouble: Trouble = field(default_factory=lambda: Trouble(log, "handing out runs"), init=False, compare=False)
    _going: Lock = field(default_factory=Lock, init=False, compare=False)
    _next: Lock = field(default_factory=Lock, init=False, compare=False)
    _late: LatePass = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hint_step", _hint(self.live_slots))
        object.__setattr__(self, "_late", LatePass(self.dispatch, after_seconds=PASS_SECONDS))

    def dispatch(self) -> int:
        """Hint at the next ready runs. Returns how many. With broker or database away, finders and sweep make up."""
        # One pass goes on and one waits; the latter sees all that was committed by those who come third.
        if not self._next.acquire(blocking=False):
            return 0
        with self._going:
            self._next.release()
            self._late.settle()
            return self._pass()

    def dispatch_in_time(self) -> None:
        """After each run of a worker: dispatch, but while a line is worked off only once for as many runs as slots.

        Until then hints are left, twice as many as slots, so whoever follows those comes here again. Should nobody,
        a moment later there is a pass all the same: others may wait for just this run.
        """
        if self._pace.is_due(self.own_slots):
            self.dispatch()
        else:
            self._late.owe()

    def _pass(self) -> int:
        try:
            # Asked before the transaction: a broker that hangs must not hold the database's write lock.
            waiting = self._count_hints()
            sent = self._send(self._choose_by_engine(waiting))
        except SQLAlchemyError as error:
            self._trouble.failed(error)
            return 0
        self._trouble.worked()
        return sent

    def _choose_by_engine(self, waiting: int | None) -> list[UUID]:
        lane = self.database.lane
        if lane is None:
            return self.database.run(ENGINE, lambda session: self._choose(session, waiting=waiting))
        return again_after_conflict(lambda: self._choose_at_once(lane, waiting=waiting))

    def _count_hints(self) -> int | None:
        try:
            return self.hints.waiting()
        except BrokerAway:
            return None

    def _send(self, chosen: list[UUID]) -> int:
        try:
            self.hints.send(chosen)
        except BrokerAway:
            # Not said is not hinted at: when the broker is back, these are the first.
            self.database.run(ENGINE, lambda session: _take_back(session, chosen))
            return 0
        return len(chosen)

    def _choose(self, session: Session, *, waiting: int | None) -> list[UUID]:
        now = self.clock.now(session)
        _wake(session, now)
        if waiting is None:
            return []

        def ago(while_: timedelta) -> ColumnElement[datetime]:
            return literal(now - while_, UTCDateTime())

        if waiting == 0:
            session.execute(forget_stale(ago))
        own_slots = literal(self.own_slots)
        query = next_in_line(ago, live_slots=self.live_slots, own_slots=own_slots, lateral=False)
        chosen = list(session.scalars(query))
        session.execute(update(Run).where(Run.id.in_(chosen)).values(hinted_at=now))
        return chosen

    def _choose_at_once(self, lane: Lane, *, waiting: int | None) -> list[UUID]:
        given = {"now": self.clock.moment}
        calls: list[tuple[Scope, Step, dict[str, Any]]] = [(ENGINE, _WAKE, {**given, "limit": MOST_WOKEN})]
        # Hints that still lie in the queue are late and not lost: the slots are busy.
        if waiting == 0:
            calls.append((ENGINE, _FORGET_STALE, given))
        if waiting is not None:
            calls.append((ENGINE, self._hint_step, {**given, "own_slots": self.own_slots}))
        found = lane.ask(*calls)
        return [] if waiting is None else [row.id for row in found[-1]]


def _hint(live_slots: LiveSlots) -> Step:
    """Choose and mark in one statement. Takes own_slots and now; a row for each chosen run, the first one first."""
    now, ago = moments()
    own_slots = bindparam("own_slots", type_=Integer)
    line = next_in_line(ago, live_slots=live_slots, own_slots=own_slots, lateral=True).cte("line")
    # Somebody else may be at the same runs: whoever comes second passes them over.
    is_waiting = is_state(RunState.READY), Run.hinted_at.is_(None)
    locked = select(Run.id).where(Run.id == any_of(select(line.c.id)), *is_waiting)
    locked = locked.with_for_update(skip_locked=True)
    hinted = update(Run).where(Run.id == any_of(locked)).values(hinted_at=now).returning(Run.id).cte("hinted")
    in_order = select(line.c.id).join(hinted, hinted.c.id == line.c.id)
    return Step(in_order.order_by(line.c.turn, line.c.ready_at, line.c.id))


_WAKE = make_ready()
_FORGET_STALE = Step(forget_stale(moments()[1]))


def make_dispatcher(settings: Settings, database: Database, clock: Clock, *, live_slots: LiveSlots) -> Dispatcher:
    """For a process that hands out work and does none itself: pages, commands, a scheduler apart."""
    # As if there were one slot at least, so that the first worker that comes finds something to begin with.
    return Dispatcher(database, clock, make_hints(make_huey(settings)), live_slots, own_slots=1)


def _wake(session: Session, now: datetime) -> None:
    due = list(session.scalars(waits_that_are_over(literal(now, UTCDateTime()), literal(MOST_WOKEN))))
    if due:
        ledger.make_ready(session, run_ids=due, now=now)


def _take_back(session: Session, run_ids: list[UUID]) -> None:
    session.execute(update(Run).where(Run.id.in_(run_ids), in_state(RunState.READY)).values(hinted_at=None))
