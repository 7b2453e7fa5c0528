"""What a worker that keeps no time does while nobody does: it tells of that, for those who would are silent."""

import logging
import threading
from dataclasses import dataclass, field

from app.core.clock import Clock
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.troubles import Trouble
from app.notifications.teller import Teller
from app.ops.watches.watching import watch_silence

log = logging.getLogger(__name__)

EVERY_SECONDS = 30.0


@dataclass
class StandIn:
    """Looks every half minute, in a thread of its own. Several of them do no harm."""

    database: Database
    clock: Clock
    schema: SchemaGate
    teller: Teller
    _closed: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        threading.Thread(target=self._loop, name="stand-in", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        self.teller.close()

    def look(self) -> bool:
        """Tell what happened, as long as no scheduler does. Returns whether none does."""
        is_silent = watch_silence(self.database, self.clock)
        if is_silent:
            self.teller.tell()
            self.teller.look_again()
        return is_silent

    def _loop(self) -> None:
        trouble = Trouble(log, "looking for a scheduler")
        while not self._closed.wait(EVERY_SECONDS):
            with trouble.absorbing() as go:
                go.was_made = self.schema.is_current()
                if go.was_made:
                    self.look()
