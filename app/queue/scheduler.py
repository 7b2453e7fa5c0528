"""The loop that keeps time: tick when a slot comes, dispatch, and now and then sweep up what was lost."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.scopes import ENGINE
from app.jobs.kinds.base import JobKinds
from app.queue.dispatch import Dispatcher
from app.runs import planner, reaper
from app.runs.queries import earliest_ready_across_tenants
from app.schedules.queries import earliest_due_across_tenants

log = logging.getLogger(__name__)

# A look at the earliest slot costs one indexed read, and finds a schedule that somebody has just switched on.
LOOK_SECONDS = 1.0
# Between two transactions of one pass, for others to get their turn.
BREATH_SECONDS = 0.05


@dataclass(frozen=True)
class TickReport:
    """When the last tick was and how long it took."""

    at: datetime
    milliseconds: int


class Scheduler:
    """One scheduler. Any number may run on one database."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        schema: SchemaGate,
        kinds: JobKinds,
        dispatcher: Dispatcher,
        poll_seconds: int,
        sweep_seconds: int,
        report: Callable[[TickReport], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._schema = schema
        self._kinds = kinds
        self._dispatcher = dispatcher
        self._poll_seconds = poll_seconds
        self._sweep_seconds = sweep_seconds
        self._report = report
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self.run, name="scheduler", daemon=True)

    def start(self) -> None:
        """Run in a thread of this process."""
        self._thread.start()

    def close(self) -> None:
        """Ask the loop to end and wait for the pass that is going on."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def run(self) -> None:
        """Loop until closed. A pass that fails is logged and repeated; nothing needs a restart."""
        next_poll = next_sweep = 0.0
        while not self._closed.is_set():
            try:
                wait = self._until_due() if self._schema.is_current() else LOOK_SECONDS
                if wait <= 0 or time.monotonic() >= next_poll:
                    self.tick()
                    # A slot that stays due in spite of the tick must not turn the loop into a busy one.
                    wait = max(wait, BREATH_SECONDS)
                    next_poll = time.monotonic() + self._poll_seconds
                if time.monotonic() >= next_sweep:
                    self.sweep()
                    next_sweep = time.monotonic() + self._sweep_seconds
            except Exception:
                # Whatever it was: without this loop nothing runs on time any more.
                log.exception("scheduler pass failed")
                wait = LOOK_SECONDS
            self._closed.wait(min(max(wait, 0.0), LOOK_SECONDS))

    def tick(self) -> None:
        """Plan everything that is due, batch by batch, and hand each on at once."""
        if not self._schema.is_current():
            return
        began = time.monotonic()
        while not self._closed.is_set():
            now, done = self._database.run(ENGINE, self._plan_batch)
            self._dispatcher.dispatch()
            if not done.is_full:
                self._report(TickReport(now, int((time.monotonic() - began) * 1000)))
                return
            if not self._database.is_postgres:
                # Pages and heartbeats write too, and SQLite has one writer at a time.
                self._closed.wait(BREATH_SECONDS)

    def sweep(self) -> None:
        """Move runs of dead workers on, and hint again at runs whose hint was lost."""
        if not self._schema.is_current():
            return
        self._database.run(ENGINE, self._reap_batch)
        self._dispatcher.dispatch()

    def _plan_batch(self, session: Session) -> tuple[datetime, planner.Tick]:
        now = self._clock.now(session)
        return now, planner.tick(session, now=now)

    def _reap_batch(self, session: Session) -> int:
        return reaper.reap(session, kinds=self._kinds, now=self._clock.now(session))

    def _until_due(self) -> float:
        with self._database.reading(ENGINE) as session:
            now = self._clock.now(session)
            times = [earliest_due_across_tenants(session), earliest_ready_across_tenants(session)]
        due = [moment for moment in times if moment is not None]
        return (min(due) - now).total_seconds() if due else LOOK_SECONDS
