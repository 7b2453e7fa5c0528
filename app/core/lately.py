"""Answers that are believed for a moment: what costs a question each time and changes little in between."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Lately(Generic[Key, Value]):
    """The last answers for so many keys at most, each believed for so long. Any number of threads.

    Whatever an answer depends on belongs into its key, the organization first of all.
    """

    def __init__(self, *, believed: timedelta, most: int) -> None:
        self._believed, self._most = believed, most
        self._known: OrderedDict[Key, tuple[datetime, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def look_up(self, key: Key, *, now: datetime, read: Callable[[], Value]) -> Value:
        """What is known, or else what is read now."""
        with self._lock:
            known = self._known.get(key)
        # A clock that was set back must not keep an answer alive.
        if known is not None and abs(now - known[0]) < self._believed:
            return known[1]
        found = read()
        with self._lock:
            self._known[key] = now, found
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return found
