"""How many runs this worker takes at once. Hints and finder share the slots, so together they never take more."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """A number of places. Whoever executes a run sits on one."""

    def __init__(self, number: int) -> None:
        self._number = self._free = number
        self._watchers = 0
        self._is_closed = False
        self._news = threading.Condition()

    @property
    def free(self) -> int:
        """How many runs may be taken now: none once closed."""
        with self._news:
            return 0 if self._is_closed else self._free

    @contextmanager
    def watched(self, seconds: float) -> Iterator[bool]:
        """Whether one more thread may look for a hint: not more look than there are free slots. Waits that long."""
        with self._news:
            may_look = self._news.wait_for(lambda: self._watchers < self._free, seconds) and not self._is_closed
            self._watchers += may_look
        try:
            yield may_look
        finally:
            with self._news:
                self._watchers -= may_look
                self._news.notify_all()

    def try_take(self) -> bool:
        """Take a slot if one is free. Who got one releases it."""
        with self._news:
            if self._is_closed or self._free <= 0:
                return False
            self._free -= 1
            return True

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Wait for a slot and hold it for as long as the block lasts. False when the worker stops instead."""
        with self._news:
            self._news.wait_for(lambda: self._free > 0 or self._is_closed)
            is_mine = not self._is_closed
            self._free -= is_mine
        try:
            yield is_mine
        finally:
            if is_mine:
                self.release()

    def release(self) -> None:
        """Give back what `try_take` got."""
        with self._news:
            self._free += 1
            self._news.notify_all()

    def close(self) -> None:
        """Hand out no more slots; whoever holds one keeps it to its end."""
        with self._news:
            self._is_closed = True
            self._news.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until nobody sits on a slot, at most so long. Says whether it came to that."""
        with self._news:
            return self._news.wait_for(lambda: self._free == self._number, seconds)
