"""Work without hints: an idle worker looks into the database itself, so that a broker may be away, new or wrong."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, Select, Text, bindparam, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.queue.aside import HeldUp, stand_aside
from app.queue.calls import Caller
from app.queue.room import AtHand
from app.queue.served import Served
from app.queue.slots import Slots
from app.runs.models import Run, in_state
from app.runs.queries import earliest_ready_across_tenants
from app.runs.states import RunState
from app.runs.switches import is_open, queue_names

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
CLOSE_SECONDS = 2.0
# A run that is ready for so long although a slot is free has lost its hint, or never had one.
OVERLOOKED_AFTER = timedelta(seconds=5)
# How many times a look goes on behind those that stand at a limit of their own.
MOST_ROUNDS = 50


class Finder:
    """Looks for overlooked runs while this worker has free slots, and executes each in a thread of its own."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        schema: SchemaGate,
        slots: Slots,
        served: Served,
        is_broker_away: Callable[[], bool],
        execute: Callable[[UUID], bool],
        retry_in: Callable[[float], object],
    ) -> None:
        """`retry_in` hears in how many seconds the next try of a run may start, which nobody else may come back to."""
        self._database = database
        self._clock = clock
        self._schema = schema
        self._slots = slots
        self._served = served
        own = AtHand(bindparam("own_slots", type_=Integer), bindparam("own_queues", type_=Text))
        self._late_caller = Caller(database, clock, own, waited=OVERLOOKED_AFTER)
        self._any_caller = Caller(database, clock, own)
        self._is_broker_away = is_broker_away
        self._execute = execute
        self._retry_in = retry_in
        self._trouble = Trouble(log, "starting found runs")
        self._is_closed = False
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="finder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Look no further. What was found goes on; a look under way is waited for, for a moment."""
        self._is_closed = True
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def find(self, limit: int) -> list[UUID]:
        """Runs for so many slots: ready, overlooked, and called here and now within all limits.

        First those whose hint went nowhere, the longest waiting first. Without a broker that is every hint.
        """
        is_away = self._is_broker_away()
        with self._database.reading(ENGINE) as session:
            now = self._clock.now(session)
            self._served.learn(queue_names(session))
            before = now if is_away else now - OVERLOOKED_AFTER
            called = list(session.scalars(self._called(before).limit(limit)))
            has_more = session.scalar(self._uncalled(before).limit(1)) is not None
            retry_at = earliest_ready_across_tenants(session)
        if retry_at is not None:
            self._retry_in(max((retry_at - now).total_seconds(), 0.0))
        if len(called) == limit or not has_more:
            return called
        caller = self._any_caller if is_away else self._late_caller
        return called + self._call(caller, limit - len(called))

    def _call(self, caller: Caller, number: int) -> list[UUID]:
        """Call so many. Those at a limit of their own stand aside: without a broker nobody else sees to that."""
        found: list[UUID] = []
        for _ in range(MOST_ROUNDS):
            one_round = caller.call({"own_slots": number - len(found), "own_queues": self._served.words})
            found += [one.run_id for one in one_round.called]
            if len(found) >= number or not one_round.held_up or not self._put_aside(one_round.held_up):
                break
        return found

    def _put_aside(self, held_up: list[HeldUp]) -> int:
        def move(session: Session) -> int:
            return stand_aside(session, held_up=held_up, now=self._clock.now(session))

        return self._database.run(ENGINE, move)

    def _called(self, before: datetime) -> Select[UUID]:
        is_overlooked = Run.hinted_at <= before, Run.ready_at <= before, is_open()
        return self._of_mine(select(Run.id).where(in_state(RunState.READY), *is_overlooked).order_by(Run.hinted_at))

    def _uncalled(self, before: datetime) -> Select[UUID]:
        is_overlooked = Run.hinted_at.is_(None), Run.ready_at <= before
        return self._of_mine(select(Run.id).where(in_state(RunState.READY), *is_overlooked).order_by(Run.ready_at))

    def _of_mine(self, query: Select[UUID]) -> Select[UUID]:
        return query if self._served.named is None else query.where(Run.queue.in_(self._served.named))

    def _loop(self) -> None:
        trouble = Trouble(log, "looking for overlooked runs")
        while not self._is_closed:
            with trouble.absorbing() as go:
                go.was_made = self._look()
            self._news.wait(LOOK_SECONDS)
            self._news.clear()

    def _look(self) -> bool:
        """Start what is found. False when there was no reason or no way to look."""
        free = self._slots.free
        if free <= 0 or not self._schema.is_current():
            return False
        for run_id in self.find(free):
            if self._is_closed or not self._slots.try_take():
                break
            threading.Thread(target=self._follow, args=(run_id,), name=f"found {run_id}", daemon=True).start()
        return True

    def _follow(self, run_id: UUID) -> None:
        was_executed = False
        with self._trouble.absorbing() as go:
            was_executed = self._execute(run_id)
            go.was_made = was_executed or self._schema.is_current()
        self._slots.release()
        # There may be more where that came from. One that was not to be had would be found again, and again.
        if was_executed:
            self._news.set()
