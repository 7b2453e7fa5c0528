"""What this process knows of its broker: whether it answers, and when to ask again. No word of what is carried."""

import logging
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto

from app.core.errors import Unavailable
from app.core.failures import is_out_of_room

log = logging.getLogger(__name__)

# After a failure nobody who sends waits for the broker again for this long: a page hangs once, and not each time.
SPARE_SECONDS = 2.0
# Who waits for hints asks again after a while that doubles up to this.
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 2.0

AWAY = "The broker does not answer. Workers find what is ready by themselves, in the database."
REFUSES = "The broker refuses hints: {problem}. Mend that; until then workers find what is ready in the database."


class Errand(Enum):
    """What a broker is asked for. It may refuse one and do the others, as when it is full or only a copy."""

    TAKE = auto()  # wait for a hint
    GIVE = auto()  # send some
    COUNT = auto()  # say how many there are


class BrokerAway(Unavailable):
    """The carrier of hints does not answer or refuses them. Runs stay ready, and the sweep hints at them again."""


class Link:
    """Shared by all threads of a process that talk to one broker."""

    def __init__(self, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._lock = threading.Lock()
        self._failures = 0
        self._ask_again_at = 0.0
        # What it refuses, in its words, and when to ask it for that again. It answers, so all else is asked as ever.
        self._refusals: dict[Errand, tuple[str, float]] = {}

    @property
    def is_away(self) -> bool:
        """Whether the last that was asked of the broker failed, or it refuses something."""
        return self._failures > 0 or bool(self._refusals)

    @property
    def refusal(self) -> str | None:
        """What the broker says when it refuses, for people; None while it does not."""
        problem = next((problem for problem, _ in list(self._refusals.values())), None)
        return None if problem is None else REFUSES.format(problem=problem)

    @contextmanager
    def asking(self, errand: Errand) -> Iterator[None]:
        """Ask something and note how it went. Raises BrokerAway for whatever the broker's client raises."""
        try:
            yield
        except Exception as error:
            if not isinstance(error, (*_of_redis("RedisError"), sqlite3.Error, OSError)):
                raise
            raise BrokerAway(self._note_trouble(errand, error)) from error
        self._note_answer(errand)

    @contextmanager
    def asking_unless_away(self, errand: Errand) -> Iterator[None]:
        """Ask as above, but after a failure one at a time and now and then; all others get BrokerAway at once."""
        with self._lock:
            if self._failures and self._ticks() < self._ask_again_at:
                raise BrokerAway(AWAY)
            # Taken by this caller, before it may hang.
            self._ask_again_at = self._ticks() + SPARE_SECONDS
            if errand in self._refusals:
                problem, ask_again_at = self._refusals[errand]
                if self._ticks() < ask_again_at:
                    raise BrokerAway(REFUSES.format(problem=problem))
                self._refusals[errand] = problem, self._ticks() + SPARE_SECONDS
        with self.asking(errand):
            yield

    def seconds_to_wait(self) -> float:
        """How long a reader lets the broker be: longer after each failure, and each reader a different while."""
        doublings = min(max(self._failures - 1, 0), 10)
        longest = min(FIRST_WAIT_SECONDS * 2**doublings, LONGEST_WAIT_SECONDS)
        if Errand.TAKE in self._refusals:
            longest = LONGEST_WAIT_SECONDS
        return random.uniform(longest / 2, longest)  # noqa: S311 - no secret

    def _note_trouble(self, errand: Errand, error: Exception) -> str:
        """Which of the two it is, in words."""
        if isinstance(error, _of_redis("ResponseError")) or is_out_of_room(error):
            return self._note_refusal(errand, str(error).rstrip("."))
        self._note_failure(error)
        return AWAY

    def _note_failure(self, error: Exception) -> None:
        with self._lock:
            self._failures += 1
            self._ask_again_at = self._ticks() + SPARE_SECONDS
            is_news = self._failures == 1
        if is_news:
            log.warning("broker away", extra={"problem": f"{type(error).__name__}: {error}"})

    def _note_refusal(self, errand: Errand, problem: str) -> str:
        self._note_contact()
        with self._lock:
            is_news = not self._refusals
            self._refusals[errand] = problem, self._ticks() + SPARE_SECONDS
        words = REFUSES.format(problem=problem)
        if is_news:
            log.warning("broker refuses hints", extra={"problem": words})
        return words

    def _note_answer(self, errand: Errand) -> None:
        self._note_contact()
        if errand not in self._refusals:
            return
        with self._lock:
            self._refusals.pop(errand, None)
            is_over = not self._refusals
        if is_over:
            log.info("broker takes hints again")

    def _note_contact(self) -> None:
        if not self._failures:
            return
        with self._lock:
            self._failures = 0
        log.info("broker answers again")


def _of_redis(name: str) -> tuple[type[Exception], ...]:
    """One of the client's failures. Where it was never loaded, which takes megabytes, nothing can be one."""
    client = sys.modules.get("redis.exceptions")
    return () if client is None else (getattr(client, name),)
