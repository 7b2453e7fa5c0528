"""When a service had errors of its own with an account: for services that lock an account after too many of them.

Kept in the database, for the next attempt may be another process's, and the service counts the errors of all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.syncs.models import StreamState

KEPT = timedelta(hours=1)
# No service forgives as many.
MOST_KEPT = 50
_ERRORS = "service_errors"


@dataclass(frozen=True)
class StoredErrors:
    """The errors of one connection, with the mark of one of its streams: kept once something of it has landed.

    `transact` does something in a transaction as its organization.
    """

    transact: Callable[[Callable[[Session], object]], object]
    organization_id: UUID
    connection_id: UUID

    def recent(self, now: datetime) -> list[datetime]:
        """See `ErrorMemory`."""
        found: list[datetime] = []

        def read(session: Session) -> None:
            state = self._state(session)
            found[:] = [] if state is None else _recent(state.mark, now)

        self.transact(read)
        return found

    def note(self, now: datetime) -> None:
        """See `ErrorMemory`."""

        def write(session: Session) -> None:
            state = self._state(session)
            if state is not None:
                moments = [*_recent(state.mark, now), now][-MOST_KEPT:]
                state.mark = {**(state.mark or {}), _ERRORS: [moment.isoformat() for moment in moments]}

        self.transact(write)

    def _state(self, session: Session) -> StreamState | None:
        mine = StreamState.organization_id == self.organization_id, StreamState.connection_id == self.connection_id
        query = select(StreamState).where(*mine).order_by(StreamState.name).limit(1).with_for_update()
        return session.scalar(query.execution_options(populate_existing=True))


def _recent(mark: Any, now: datetime) -> list[datetime]:
    said = mark.get(_ERRORS) if isinstance(mark, dict) else None
    try:
        moments = [datetime.fromisoformat(moment) for moment in said or []]
    except (TypeError, ValueError):
        return []
    return sorted(moment for moment in moments if now - KEPT < moment)
