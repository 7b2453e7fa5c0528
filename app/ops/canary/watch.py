"""Looks whether the canary comes through, and only then pings the address that waits for that."""

import logging
import threading
from dataclasses import dataclass, field

from app.core.clock import Clock
from app.core.db import Database
from app.core.http import OutboundFailed, OutboundLimits, OutboundRefused, OutboundRequest
from app.core.schema import SchemaGate
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.notifications.couriers.judging import Sender
from app.ops.canary import gaps

log = logging.getLogger(__name__)

EVERY_SECONDS = 20.0
PING_LIMITS = OutboundLimits(connect_seconds=5.0, total_seconds=10.0, max_response_bytes=1_024)


@dataclass
class CanaryWatch:
    """Looks three times a minute, in a thread of a process that keeps time. Several of them do no harm.

    `ping_url` is called once a minute by one of them, outside of any transaction.
    """

    database: Database
    clock: Clock
    schema: SchemaGate
    is_on: bool
    ping_url: str | None
    http: Sender
    _closed: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        threading.Thread(target=self._loop, name="canary", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def look(self) -> bool:
        """Whether it comes through. If so, and nobody else has said so in this minute, say so outside."""
        if not self.is_on:
            self.database.run(ENGINE, lambda session: gaps.forget(session, now=self.clock.now(session)))
            return False
        comes_through = self.database.run(ENGINE, lambda session: gaps.look(session, now=self.clock.now(session)))
        if comes_through and self.ping_url is not None and self._may_ping():
            self._ping(self.ping_url)
        return comes_through

    def _may_ping(self) -> bool:
        return self.database.run(ENGINE, lambda session: gaps.may_ping(session, now=self.clock.now(session)))

    def _ping(self, url: str) -> None:
        problem = self._send(url)
        if problem is not None:
            log.warning("the heartbeat was not taken", extra={"problem": problem})
        self.database.run(ENGINE, lambda session: gaps.note_ping(session, problem=problem, now=self.clock.now(session)))

    def _send(self, url: str) -> str | None:
        try:
            answer = self.http.send(OutboundRequest("GET", url), limits=PING_LIMITS)
        except (OutboundFailed, OutboundRefused) as error:
            return str(error)
        return None if 200 <= answer.status < 300 else f"It answered {answer.status}."

    def _loop(self) -> None:
        trouble = Trouble(log, "looking for the canary")
        while not self._closed.wait(EVERY_SECONDS):
            with trouble.absorbing() as go:
                go.was_made = self.schema.is_current()
                if go.was_made:
                    self.look()
                    if not self.is_on:
                        return
