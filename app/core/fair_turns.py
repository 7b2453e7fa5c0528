"""A few places for work that waits for others, of which nobody takes all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID


class FairTurns:
    """So many at once, and so many of each owner. Who comes when there is no place goes without one."""

    def __init__(self, most: int, *, most_of_each: int) -> None:
        self._free = most
        self._most_of_each = most_of_each
        self._taken: Counter[UUID] = Counter()
        self._lock = Lock()

    @contextmanager
    def taken(self, owner: UUID) -> Iterator[bool]:
        """Whether there was a place; it is kept for as long as the block lasts."""
        with self._lock:
            is_mine = self._free > 0 and self._taken[owner] < self._most_of_each
            if is_mine:
                self._free -= 1
                self._taken[owner] += 1
        try:
            yield is_mine
        finally:
            if is_mine:
                with self._lock:
                    self._free += 1
                    self._taken[owner] -= 1
                    # Owners that have none are many in time.
                    self._taken += Counter()
