"""How many errors of its own Google Analytics forgives a property: ten in an hour, and then it locks it.

So asking again after one is rationed by property and hour, over all runs of this process, and over those of others as
far as the database knows of them.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

MOST_ERRORS = 8
# What Google says is left goes before what we counted: others may ask for the same project.
FEWEST_LEFT = 2
_HOUR = timedelta(hours=1)


@dataclass
class ErrorBudget:
    """The one of a process."""

    _errors: dict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque), init=False)
    _left: dict[str, int] = field(default_factory=dict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def note(self, property_id: str, now: datetime) -> None:
        """Google answered with an error of its own."""
        with self._lock:
            self._errors[property_id].append(now)

    def learn(self, property_id: str, moments: Iterable[datetime]) -> None:
        """Other processes met these errors; those that are known already count once."""
        with self._lock:
            # Of one moment there may be several.
            known = Counter(self._errors[property_id]) | Counter(moments)
            self._errors[property_id] = deque(sorted(known.elements()))

    def tell_left(self, property_id: str, left: int) -> None:
        """Google said how many are left."""
        with self._lock:
            self._left[property_id] = left

    def free_at(self, property_id: str, now: datetime) -> datetime | None:
        """When to ask again after so many errors; None for at once."""
        with self._lock:
            errors = self._errors[property_id]
            while errors and errors[0] + _HOUR <= now:
                errors.popleft()
            if not errors:
                # Whatever was left then, the errors of that hour were of others or are over.
                return None
            is_low = self._left.get(property_id, MOST_ERRORS) <= FEWEST_LEFT
            return errors[0] + _HOUR if len(errors) >= MOST_ERRORS or is_low else None
