"""What a loop says of a failure that goes on: once, then once a minute, and once when it is over."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from app.core.failures import explain

REPEAT_SECONDS = 60.0


@dataclass
class Go:
    """One go at it. Without `was_made` nothing was tried, and so nothing is known about whether it works."""

    was_made: bool = True


@dataclass
class Trouble:
    """One thing that may fail again and again. `what` names it, for whoever reads the log."""

    log: logging.Logger
    what: str
    ticks: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock, init=False)
    _failures: int = field(default=0, init=False)
    _said_at: float = field(default=0.0, init=False)

    @contextmanager
    def absorbing(self) -> Iterator[Go]:
        """Do something that may fail; whoever does it in a loop goes on in any case."""
        go = Go()
        try:
            yield go
        except Exception as error:  # noqa: BLE001 - said below, and a loop that ends says nothing any more
            self.failed(error)
        else:
            if go.was_made:
                self.worked()

    def failed(self, error: Exception) -> None:
        """Note a failure. What can be explained is one line with what to do; a defect shows its trace."""
        with self._lock:
            self._failures += 1
            is_due = self._failures == 1 or self.ticks() - self._said_at >= REPEAT_SECONDS
            if not is_due:
                return
            self._said_at = self.ticks()
            failures = self._failures
        sentence = explain(error)
        facts = {"problem": sentence or repr(error), "failures": failures}
        self.log.error(f"{self.what} failed", extra=facts, exc_info=None if sentence else error)

    def worked(self) -> None:
        """Note that it works, which is said when it did not before."""
        if not self._failures:
            return
        with self._lock:
            failures, self._failures = self._failures, 0
        if failures:
            self.log.warning(f"{self.what} works again", extra={"failures": failures})
