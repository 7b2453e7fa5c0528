"""A pass that is made a moment later, because the last of many short runs made none."""

import threading
import time
from collections.abc import Callable


class LatePass:
    """Owes a pass until one is made, be it by somebody else. Pays after so many seconds in which there was none."""

    def __init__(self, make_pass: Callable[[], object], *, after_seconds: float) -> None:
        self._make_pass = make_pass
        self._after_seconds = after_seconds
        self._lock = threading.Lock()
        self._is_owed = False
        self._is_waiting = False
        self._last = time.monotonic()

    def owe(self) -> None:
        """There has to be another pass."""
        with self._lock:
            self._is_owed = True
            if self._is_waiting:
                return
            self._is_waiting = True
        # Only while runs come faster than passes, and then it goes on from one to the next.
        threading.Thread(target=self._wait, name="late pass", daemon=True).start()

    def settle(self) -> None:
        """A pass begins now, and sees all that was committed before."""
        with self._lock:
            self._is_owed, self._last = False, time.monotonic()

    def _wait(self) -> None:
        time.sleep(self._after_seconds)
        while (seconds := self._look()) > 0:
            time.sleep(seconds)

    def _look(self) -> float:
        """Make the pass if it is time. Says how long to wait on."""
        with self._lock:
            left = self._last + self._after_seconds - time.monotonic()
            if self._is_owed and left > 0:
                return left
            self._is_waiting = False
            is_owed = self._is_owed
        if is_owed:
            self._make_pass()
        return 0.0
