"""Counts how runs ended, hour by hour, for each organization by itself, and what waits minute by minute.

In the same minute it looks for what time alone brings, and tells of it.
"""

import logging
import threading
from dataclasses import dataclass, field
from uuid import UUID

from app.core.clock import Clock
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.ops.promise_watch import tell_promises
from app.ops.watches.watching import watch
from app.runs.cause_groups import fill_causes
from app.runs.queue_minutes import keep_minute
from app.runs.run_hours import count_hours, uncounted_across_tenants

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


@dataclass
class Bookkeeper:
    """Counts every minute, in a thread of a process that keeps time. Several of them do no harm."""

    database: Database
    clock: Clock
    schema: SchemaGate
    _closed: threading.Event = field(default_factory=threading.Event, init=False)
    # The last minute that it wrote down what waits.
    _kept: int | None = field(default=None, init=False)

    def start(self) -> None:
        threading.Thread(target=self._loop, name="bookkeeper", daemon=True).start()

    def close(self) -> None:
        """Begin nothing more."""
        self._closed.set()

    def count(self) -> int:
        """Count everything that has finished and was not counted. Returns for how many organizations."""
        with self.database.reading(ENGINE) as session:
            waiting = uncounted_across_tenants(session, now=self.clock.now(session))
        for organization_id in waiting:
            while not self._closed.is_set() and self._count_some(organization_id):
                pass
        return len(waiting)

    def keep_minute(self) -> None:
        """Write down what waits in each queue at this minute."""
        self._kept = self.database.run(
            ENGINE, lambda session: keep_minute(session, now=self.clock.now(session), kept=self._kept)
        )

    def name_causes(self) -> int:
        """Work out the causes of dead letters that an earlier version left without. Returns of how many."""
        total = 0
        while not self._closed.is_set() and (found := self.database.run(ENGINE, fill_causes)):
            total += found
        return total

    def tell_promises(self) -> int:
        """Tell of promised figures that will not be there in time. Returns of how many."""
        return tell_promises(self.database, self.clock)

    def watch(self) -> int:
        """Tell of runs, queues and processes with which something is wrong. Returns how much was told."""
        return watch(self.database, self.clock)

    def _count_some(self, organization_id: UUID) -> bool:
        return self.database.run(
            ENGINE,
            lambda session: count_hours(session, organization_id=organization_id, now=self.clock.now(session)),
        )

    def _loop(self) -> None:
        trouble = Trouble(log, "counting runs")
        while not self._closed.wait(EVERY_SECONDS):
            with trouble.absorbing() as go:
                go.was_made = self.schema.is_current()
                if go.was_made:
                    self.keep_minute()
                    self.count()
                    self.name_causes()
                    self.tell_promises()
                    self.watch()
