"""The report of a process that serves pages: one for each that a server forks, however it does."""

import os
import threading

from app.core.clock import Clock
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.version import VERSION
from app.ops.heartbeats import facts_of_this_process
from app.ops.pulse import Pulse


class PagePulse:
    """Begins a report in each process that asks for it. It is made before the fork, with the app."""

    def __init__(self, database: Database, clock: Clock, schema: SchemaGate) -> None:
        self._database, self._clock, self._schema = database, clock, schema
        self._lock = threading.Lock()
        self._pid = 0
        self._pulse: Pulse | None = None

    def begin(self) -> None:
        """Report from now on, unless this process does already. What was begun before a fork is the parent's."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            facts = facts_of_this_process(version=VERSION, slots=0, schedules=False)
            self._pulse = Pulse(self._database, self._clock, self._schema, facts, statistics=None)
            self._pulse.start()

    def end(self) -> None:
        """Report no more, and sign off, where this process reported."""
        if self._pulse is not None and self._pid == os.getpid():
            self._pulse.close()
