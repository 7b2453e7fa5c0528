"""The one clock that decides: the database's. Everything below the edges is handed the time."""

from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import ColumnElement, func, literal, text
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime

# Not now(): that one stands still inside a PostgreSQL transaction, and a wait for a lock would make a lease wrong.
_NOW = {
    "sqlite": text("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"),
    "postgresql": text("SELECT clock_timestamp()"),
}


# The same as a part of statements. Instants are kept with six places in a file, and compared as texts there.
_PRESENT = {
    "sqlite": func.strftime("%Y-%m-%d %H:%M:%f000", "now", type_=UTCDateTime()),
    "postgresql": func.clock_timestamp(type_=UTCDateTime()),
}


class Clock(Protocol):
    """Tells the time; tests hand in one they can move."""

    @property
    def moment(self) -> datetime | None:
        """What a statement is to take for the time. None: it asks the database itself, which saves a question."""

    def now(self, session: Session) -> datetime:
        """The current instant, aware, in UTC."""


class DatabaseClock:
    """Asks the database, so that every machine of an installation agrees."""

    moment: datetime | None = None

    def now(self, session: Session) -> datetime:
        value = session.execute(_NOW[session.get_bind().dialect.name]).scalar_one()
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def present_of(clock: Clock, session: Session) -> ColumnElement[datetime]:
    """What a clock says, for a statement that needs it and tells it: nobody has to ask for the time before."""
    if clock.moment is not None:
        return literal(clock.moment, UTCDateTime())
    return _PRESENT[session.get_bind().dialect.name]
