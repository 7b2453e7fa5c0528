"""Work without hints: an idle worker looks into the database itself, so that a broker may be away, new or wrong."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from app.core.clock import Clock
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.queue.slots import Slots
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.runs.switches import is_open

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
# A run that is ready for so long although a slot is free has lost its hint, or never had one.
OVERLOOKED_AFTER = timedelta(seconds=5)


class Finder:
    """Looks for overlooked runs while this worker has free slots, and executes each in a thread of its own."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        schema: SchemaGate,
        slots: Slots,
        is_broker_away: Callable[[], bool],
        execute: Callable[[UUID], bool],
    ) -> None:
        self._database = database
        self._clock = clock
        self._schema = schema
        self._slots = slots
        self._is_broker_away = is_broker_away
        self._execute = execute
        self._trouble = Trouble(log, "starting found runs")
        self._is_closed = False
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="finder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Look no further. What was found goes on."""
        self._is_closed = True
        self._news.set()

    def find(self, limit: int) -> list[UUID]:
        """Runs that are ready and were overlooked, the longest waiting first. Without a broker, all that are ready."""
        with self._database.reading(ENGINE) as session:
            now = self._clock.now(session)
            query = (
                select(Run.id)
                .where(in_state(RunState.READY), is_open(), *self._has_waited(now))
                .order_by(Run.ready_at, Run.id)
                .limit(limit)
            )
            return list(session.scalars(query))

    def _has_waited(self, now: datetime) -> list[ColumnElement[bool]]:
        if self._is_broker_away():
            return [Run.ready_at <= now]
        before = now - OVERLOOKED_AFTER
        return [Run.ready_at <= before, or_(Run.hinted_at.is_(None), Run.hinted_at <= before)]

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
