"""Rings at a set time: for what nobody else would come back to, such as a rate that lets the next run start."""

import threading
import time
from collections.abc import Callable

CLOSE_SECONDS = 2.0


class Alarm:
    """One thread, which starts when it is first set. Set twice, it rings at the earlier of the times."""

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._at: float | None = None
        self._is_closed = False
        self._thread: threading.Thread | None = None
        self._news = threading.Condition()

    def ring_in(self, seconds: float) -> None:
        """Ring after so many seconds at the latest."""
        at = time.monotonic() + seconds
        with self._news:
            if self._is_closed or (self._at is not None and self._at <= at):
                return
            self._at = at
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="alarm", daemon=True)
                self._thread.start()
            self._news.notify()

    def close(self) -> None:
        """Ring no more. What a ring has begun is waited for, for a moment."""
        with self._news:
            self._is_closed = True
            self._news.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CLOSE_SECONDS)

    def _loop(self) -> None:
        while self._wait():
            self._ring()

    def _wait(self) -> bool:
        with self._news:
            while not self._is_closed:
                seconds = None if self._at is None else self._at - time.monotonic()
                if seconds is not None and seconds <= 0:
                    self._at = None
                    return True
                self._news.wait(seconds)
            return False
