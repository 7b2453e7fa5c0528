"""The loop that tells: beside the scheduler, every second. Any number of them share one cursor."""

import logging
import threading
from dataclasses import dataclass, field

from app.core.clock import Clock
from app.core.db import OUTAGES, Database
from app.core.schema import SchemaGate
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.notifications.cursor import has_events
from app.notifications.passes import Pass, is_anything_due, look_again, read_events
from app.notifications.tidying import BATCH, tidy

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
# Others get their turn between two batches.
BREATH_SECONDS = 0.05
# So many rounds of about a second lie between two looks at what waits, and between two at what is old.
LOOK_AGAIN_SECONDS = 5
TIDY_SECONDS = 3_600


@dataclass
class Teller:
    """Reads events and writes deliveries, in a thread of a process that keeps time. It sends nothing."""

    database: Database
    clock: Clock
    schema: SchemaGate
    _closed: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        threading.Thread(target=self._loop, name="teller", daemon=True).start()

    def close(self) -> None:
        """Begin no further batch."""
        self._closed.set()

    def tell(self) -> int:
        """Read everything that was appended, batch by batch. Returns how many messages follow from it."""
        messages = 0
        with self.database.reading(ENGINE) as session:
            # Mostly there is nothing, and SQLite has one writer at a time.
            if not has_events(session):
                return 0
        while not self._closed.is_set():
            done = self._read()
            messages += done.messages
            if not done.is_full:
                break
            self._closed.wait(BREATH_SECONDS)
        return messages

    def look_again(self) -> int:
        """Tell what waited until now, and remind. Returns how many messages that makes."""
        with self.database.reading(ENGINE) as session:
            if not is_anything_due(session, now=self.clock.now(session)):
                return 0
        return self.database.run(ENGINE, lambda session: look_again(session, now=self.clock.now(session)))

    def tidy(self) -> int:
        """Delete what is old. Returns how many rows."""
        total = 0
        while not self._closed.is_set():
            deleted = self.database.run(ENGINE, lambda session: tidy(session, now=self.clock.now(session)))
            total += deleted
            if deleted < BATCH:
                break
            self._closed.wait(BREATH_SECONDS)
        return total

    def _read(self) -> Pass:
        try:
            return self.database.run(ENGINE, lambda session: read_events(session, now=self.clock.now(session)))
        except OUTAGES:
            raise
        except Exception:
            log.exception("a batch of events was refused, so each is read by itself")
            return self.database.run(
                ENGINE, lambda session: read_events(session, now=self.clock.now(session), is_careful=True)
            )

    def _loop(self) -> None:
        trouble, rounds = Trouble(log, "telling what happened"), 0
        while not self._closed.wait(EVERY_SECONDS):
            with trouble.absorbing() as go:
                go.was_made = self.schema.is_current()
                if go.was_made:
                    self.tell()
                    if rounds % LOOK_AGAIN_SECONDS == 0:
                        self.look_again()
                    if rounds % TIDY_SECONDS == TIDY_SECONDS - 1:
                        self.tidy()
                    rounds += 1
