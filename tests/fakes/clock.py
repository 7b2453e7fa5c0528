"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session


def utc(text: str) -> datetime:
    """An aware instant from ISO text that means UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Ticks:
    """A monotonic clock that a test moves."""

    value = 100.0

    def __call__(self) -> float:
        return self.value


class ManualClock:
    """Stands in for the database's clock."""

    def __init__(self, start: str) -> None:
        self.moment = utc(start)

    def now(self, session: Session) -> datetime:
        return self.moment

    def advance(self, **amount: float) -> datetime:
        """Move forward, for example `minutes=5`, and tell the new time."""
        self.moment += timedelta(**amount)
        return self.moment
