"""Work without hints: an idle worker looks into the database itself, so that a broker may be away, new or wrong."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select

from app.core.clock import Clock
from app.core.db import Database
from app.core.schema import SchemaGate
from app.runs.models import Run, in_state
from app.runs.states import RunState

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
        free_slots: Callable[[], int],
        execute: Callable[[UUID], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._schema = schema
        self._free_slots = free_slots
        self._execute = execute
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="finder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Look no further. What was found goes on."""
        self._closed.set()

    def find(self, limit: int) -> list[UUID]:
        """Runs that are ready and were overlooked, the longest waiting first."""
        with self._database.reading() as session:
            before = self._clock.now(session) - OVERLOOKED_AFTER
            query = (
                select(Run.id)
                .where(in_state(RunState.READY), Run.ready_at <= before)
                .where(or_(Run.hinted_at.is_(None), Run.hinted_at <= before))
                .order_by(Run.ready_at)
                .limit(limit)
            )
            return list(session.scalars(query))

    def _loop(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            try:
                free = self._free_slots()
                if free <= 0 or not self._schema.is_current():
                    continue
                for run_id in self.find(free):
                    threading.Thread(target=self._execute, args=(run_id,), name=f"found {run_id}", daemon=True).start()
            except Exception:
                log.exception("could not look for overlooked runs")
