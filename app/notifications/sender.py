"""The loop of worker processes that sends messages, on threads of its own: no run waits for a channel."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from app.core.schema import SchemaGate
from app.core.scopes import ENGINE
from app.core.troubles import Trouble
from app.notifications.claiming import Due, find_due
from app.notifications.sending import Dispatch
from app.notifications.types import DeliveryState

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
THREADS = 6
# One organization whose channels all hang leaves threads for the others.
MOST_OF_AN_ORGANIZATION = 3
# Then another channel gets its turn.
MOST_IN_A_TURN = 20


@dataclass
class Sender:
    """Looks every two seconds. Several of them share what there is: a channel is sent to by one at a time."""

    dispatch: Dispatch
    schema: SchemaGate
    threads: int = THREADS
    _closed: threading.Event = field(default_factory=threading.Event, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _busy: dict[UUID, UUID] = field(default_factory=dict, init=False)
    _trouble: Trouble = field(default_factory=lambda: Trouble(log, "sending messages"), init=False)

    def start(self) -> None:
        threading.Thread(target=self._loop, name="sender", daemon=True).start()

    def close(self) -> None:
        """Begin no further message. Those under way end by themselves, or are found by others later."""
        self._closed.set()

    def send_due(self) -> int:
        """Send what is due now, one channel after the other, without threads. Returns how many tries were made."""
        made = 0
        for due in self._find():
            made += self._turn(due)
        return made

    def _find(self) -> list[Due]:
        database, clock = self.dispatch.database, self.dispatch.clock
        with database.reading(ENGINE) as session:
            return find_due(session, now=clock.now(session))

    def _turn(self, due: Due) -> int:
        for made in range(MOST_IN_A_TURN):
            if self._closed.is_set():
                return made
            sent = self.dispatch.send_next(due)
            if sent is None:
                return made
            if sent.state is not DeliveryState.SENT:
                facts = {"channel": str(due.channel_id), "delivery": str(sent.claim.delivery_id), "problem": sent.words}
                log.warning("message not delivered", extra=facts)
                return made + 1
        return MOST_IN_A_TURN

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        for due in self._find():
            with self._lock:
                of_organization = sum(1 for owner in self._busy.values() if owner == due.organization_id)
                is_free = len(self._busy) < self.threads and of_organization < MOST_OF_AN_ORGANIZATION
                if due.channel_id in self._busy or not is_free:
                    continue
                self._busy[due.channel_id] = due.organization_id
            pool.submit(self._work, due)

    def _work(self, due: Due) -> None:
        try:
            with self._trouble.absorbing():
                self._turn(due)
        finally:
            with self._lock:
                self._busy.pop(due.channel_id, None)

    def _loop(self) -> None:
        # Not waited for when the process ends: a message takes ten seconds at most, and leases see to the rest.
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="sender")
        trouble = Trouble(log, "looking for messages to send")
        while not self._closed.wait(EVERY_SECONDS):
            with trouble.absorbing() as go:
                go.was_made = self.schema.is_current()
                if go.was_made:
                    self._begin(pool)
        pool.shutdown(wait=False, cancel_futures=True)
