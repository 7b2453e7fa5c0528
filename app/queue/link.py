"""What this process knows of its broker: whether it answers, and when to ask again. No word of what is carried."""

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from app.core.errors import Unavailable

log = logging.getLogger(__name__)

# After a failure nobody who sends waits for the broker again for this long: a page hangs once, and not each time.
SPARE_SECONDS = 2.0
# Who waits for hints asks again after a while that doubles up to this.
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 2.0

AWAY = "The broker does not answer. Workers find what is ready by themselves, in the database."


class BrokerAway(Unavailable):
    """The carrier of hints does not answer. Runs stay ready, and the sweep hints at them again."""


class Link:
    """Shared by all threads of a process that talk to one broker."""

    def __init__(self, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._lock = threading.Lock()
        self._failures = 0
        self._ask_again_at = 0.0

    @property
    def is_away(self) -> bool:
        """Whether the last that was asked of the broker failed."""
        return self._failures > 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask something and note how it went. Raises BrokerAway for whatever the broker's client raises."""
        try:
            yield
        except (RedisError, sqlite3.Error, OSError) as error:
            self._note_failure(error)
            raise BrokerAway(AWAY) from error
        self._note_answer()

    @contextmanager
    def asking_unless_away(self) -> Iterator[None]:
        """Ask as above, but after a failure one at a time and now and then; all others get BrokerAway at once."""
        with self._lock:
            if self._failures and self._ticks() < self._ask_again_at:
                raise BrokerAway(AWAY)
            # Taken by this caller, before it may hang.
            self._ask_again_at = self._ticks() + SPARE_SECONDS
        with self.asking():
            yield

    def seconds_to_wait(self) -> float:
        """How long a reader lets the broker be: longer after each failure, and each reader a different while."""
        doublings = min(max(self._failures - 1, 0), 10)
        longest = min(FIRST_WAIT_SECONDS * 2**doublings, LONGEST_WAIT_SECONDS)
        return random.uniform(longest / 2, longest)  # noqa: S311 - no secret

    def _note_failure(self, error: Exception) -> None:
        with self._lock:
            self._failures += 1
            self._ask_again_at = self._ticks() + SPARE_SECONDS
            is_news = self._failures == 1
        if is_news:
            log.warning("broker away", extra={"problem": f"{type(error).__name__}: {error}"})

    def _note_answer(self) -> None:
        if not self._failures:
            return
        with self._lock:
            self._failures = 0
        log.info("broker answers again")
