"""A lock that goes to whoever has waited longest. Python's own goes to whoever comes by when it is free."""

from collections import deque
from threading import Lock


class Turns:
    """One at a time, in the order of coming."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_taken = False
        self._waiting: deque[Lock] = deque()

    def take(self, *, seconds: float) -> bool:
        """Wait for one's turn, for so long at most. Says whether it came."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return True
            place = Lock()
            place.acquire()
            self._waiting.append(place)
        if place.acquire(timeout=seconds):
            return True
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
                return False
        # It came at the last moment.
        return True

    def leave(self) -> None:
        """Let the next one come."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
