"""The report of a process: that it is alive and how it stands, every few seconds; what it did, every few minutes."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from app.core.clock import Clock
from app.core.db import Database
from app.core.memory import resident_mib
from app.core.schema import SchemaGate, SchemaState
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.ops.heartbeats import (
    BEAT_SECONDS,
    ProcessFacts,
    beat,
    beat_for_older_database,
    sign_off,
    sign_off_from_older_database,
)
from app.ops.statistics import Statistics
from app.queue.scheduler import TickReport

log = logging.getLogger(__name__)

# Of another version, but there: a report can be left, and says why this process does nothing.
_REPORTABLE = {SchemaState.CURRENT, SchemaState.OLDER, SchemaState.NEWER}


@dataclass(frozen=True)
class Standing:
    """What a process has in hand. A scheduler apart has nothing in hand, ever."""

    running: int = 0
    is_stopping: bool = False


@dataclass
class Pulse:
    """Reports for a process, in a thread of its own."""

    database: Database
    clock: Clock
    schema: SchemaGate
    facts: ProcessFacts
    # What it did, said every few minutes; nothing where nothing is counted.
    statistics: Statistics | None
    look: Callable[[], Standing] = Standing
    last_tick: TickReport | None = None
    closed: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self._loop, name="pulse", daemon=True).start()

    def note_tick(self, report: TickReport) -> None:
        """The scheduler's last tick, for the next report."""
        self.last_tick = report
        if self.statistics is not None:
            self.statistics.note_tick(report.milliseconds)

    def close(self) -> None:
        """Report no more, and sign off."""
        self.closed.set()
        try:
            is_old = self.schema.state() is SchemaState.OLDER
            with self.database.transaction(ENGINE) as session:
                if is_old:
                    sign_off_from_older_database(session, self.facts)
                else:
                    sign_off(session, self.facts, now=self.clock.now(session))
        except SQLAlchemyError as error:
            # The row will be seen as silent, which is true enough.
            Trouble(log, "signing off").failed(error)

    def report(self) -> bool:
        """One report; False where none can be left. Raises what the database raises."""
        state = self.schema.state()
        if state not in _REPORTABLE:
            return False
        try:
            self._beat(self.schema.sentence())
        except SQLAlchemyError:
            if state is not SchemaState.OLDER:
                raise
            # It lacks the columns that this version has more to say in.
            with self.database.transaction(ENGINE) as session:
                beat_for_older_database(session, self.facts, now=self.clock.now(session))
        return True

    def _loop(self) -> None:
        trouble = Trouble(log, "reporting")
        while True:
            with trouble.absorbing() as go:
                go.was_made = self.report()
            if self.statistics is not None:
                self.statistics.say_when_due()
            if self.closed.wait(BEAT_SECONDS):
                return

    def _beat(self, problem: str | None) -> None:
        tick, standing = self.last_tick, self.look()
        ticked_at, tick_ms = (tick.at, tick.milliseconds) if tick else (None, None)
        with self.database.transaction(ENGINE) as session:
            beat(
                session,
                self.facts,
                now=self.clock.now(session),
                ticked_at=ticked_at,
                tick_ms=tick_ms,
                running=standing.running,
                problem=problem,
                is_stopping=standing.is_stopping,
                memory_mib=resident_mib(),
            )
