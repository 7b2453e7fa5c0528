"""How many points an app has left in a shop: a bucket that fills up by the clock."""

from datetime import datetime
from typing import Any


class Bucket:
    """Holds so many points, and gets so many back each second."""

    def __init__(self, size: float, restore_rate: float, now: datetime) -> None:
        self._size, self._rate = size, restore_rate
        self._left, self._at = size, now

    def take(self, points: float, now: datetime) -> bool:
        """Whether there were as many; only then they are taken."""
        self._refill(now)
        if points > self._left:
            return False
        self._left -= points
        return True

    def give_back(self, points: float) -> None:
        self._left = min(self._size, self._left + points)

    def drain(self, left: float, now: datetime) -> None:
        """Leave so many points."""
        self._refill(now)
        self._left = min(self._left, left)

    def state(self, now: datetime) -> dict[str, Any]:
        self._refill(now)
        return {
            "maximumAvailable": self._size, "currentlyAvailable": int(self._left), "restoreRate": self._rate,
        }  # fmt: skip

    def _refill(self, now: datetime) -> None:
        seconds = max(0.0, (now - self._at).total_seconds())
        self._left, self._at = min(self._size, self._left + seconds * self._rate), now
