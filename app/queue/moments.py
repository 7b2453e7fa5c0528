"""The moments of a statement in a session. To put a long one together anew each time would take most of a pass."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column

from app.core.columns import UTCDateTime
from app.queue.room import NOW, Expression


class SessionMoments:
    """The moments of a statement that is told the time: parameters, so that it is put together only once."""

    def __init__(self) -> None:
        self._ages: dict[timedelta, str] = {}

    def ago(self, age: timedelta) -> ColumnElement[datetime]:
        """The moment so long before that of the statement."""
        return bindparam(self._ages.setdefault(age, f"moment_{len(self._ages)}"), type_=UTCDateTime())

    def seconds_since(self, moment: Expression) -> ColumnElement[float]:
        """How long ago that was."""
        return (func.julianday(self.ago(NOW)) - func.julianday(moment)) * literal_column("86400.0")

    def values(self, now: datetime) -> dict[str, Any]:
        """The parameters, for a statement of this time."""
        return {name: now - age for age, name in self._ages.items()}
