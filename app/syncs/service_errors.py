"""When a service had errors of its own with an account: for services that lock an account after too many of them.

Kept in the database, for the next attempt may be another process's, and the service counts the errors of all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from app.syncs.models import Connection

KEPT = timedelta(hours=1)
# No service forgives as many.
MOST_KEPT = 50


@dataclass(frozen=True)
class StoredErrors:
    """The errors of one connection, with its row. `transact` does something in a transaction as its organization."""

    transact: Callable[[Callable[[Session], object]], object]
    organization_id: UUID
    connection_id: UUID

    def recent(self, now: datetime) -> list[datetime]:
        """See `ErrorMemory`."""
        found: list[datetime] = []
        self.transact(lambda session: found.extend(_recent(session.scalar(self._said()), now)))
        return found

    def note(self, now: datetime) -> None:
        """See `ErrorMemory`."""

        def write(session: Session) -> None:
            # Several may note one at the same time, and rows may point at it meanwhile.
            said = session.scalar(self._said().with_for_update(key_share=True))
            moments = [*_recent(said, now), now][-MOST_KEPT:]
            values = {"service_errors": [moment.isoformat() for moment in moments]}
            session.execute(update(Connection).where(*self._mine).values(**values))

        self.transact(write)

    @property
    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return Connection.organization_id == self.organization_id, Connection.id == self.connection_id

    def _said(self) -> Select[list[str] | None]:
        return select(Connection.service_errors).where(*self._mine)


def _recent(said: Any, now: datetime) -> list[datetime]:
    try:
        moments = [datetime.fromisoformat(moment) for moment in said or []]
    except (TypeError, ValueError):
        return []
    return sorted(moment for moment in moments if now - KEPT < moment)
