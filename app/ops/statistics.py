"""What a process did lately, as one log line every five minutes: for whoever has the log and no page."""

import logging
import time
from collections.abc import Callable
from threading import Lock

from app.runs.tally import Tally

log = logging.getLogger(__name__)

SAY_SECONDS = 300.0


class Statistics:
    """Counts ticks beside the tally of runs, and says both. Counting starts anew with each line."""

    def __init__(self, tally: Tally | None = None, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._tally = tally
        self._ticks = ticks
        self._lock = Lock()
        self._since = ticks()
        self._number = 0
        self._longest_ms = 0

    def note_tick(self, milliseconds: int) -> None:
        """Count a tick of the scheduler."""
        with self._lock:
            self._number += 1
            self._longest_ms = max(self._longest_ms, milliseconds)

    def say_when_due(self) -> None:
        """Write the line when the last one is five minutes old."""
        now = self._ticks()
        if now - self._since >= SAY_SECONDS:
            log.info("statistics", extra={"seconds": round(now - self._since), **self._take()})
            self._since = now

    def _take(self) -> dict[str, object]:
        with self._lock:
            facts: dict[str, object] = {"scheduler_ticks": self._number, "longest_tick_ms": self._longest_ms}
            self._number = self._longest_ms = 0
        return facts if self._tally is None else facts | self._tally.take()
