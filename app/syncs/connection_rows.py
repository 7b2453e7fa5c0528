"""Reads of connections. How they sign in is in none of them: only the last letters, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, func, or_, select
from sqlalchemy.orm import Session

from app.core.questions import Question
from app.syncs.connections import ConnectionNotFound
from app.syncs.models import Connection
from app.syncs.standing import ORDER, SOON_DAYS, ConnectionState, Standing, first_end, standing_of

# Of those that somebody ended, a list shows the newest.
MOST_ENDED = 20


@dataclass(frozen=True)
class ConnectionRow:
    """A connection as lists and pages show it. Without `expiry_known_at` nobody knows when its login ends."""

    id: UUID
    name: str
    service: str
    account_id: str
    zone: str | None
    currency: str | None
    state: ConnectionState
    made_by: str | None
    created_at: datetime
    secret_hint: str | None
    secret_set_at: datetime | None
    expires_at: datetime | None
    data_expires_at: datetime | None
    expiry_known_at: datetime | None
    last_tested_at: datetime | None
    last_tested_by: str | None
    last_test_good: bool | None
    last_test_words: str | None
    last_used_at: datetime | None
    refused_at: datetime | None
    refused_reason: str | None
    refused_class: str | None
    ended_at: datetime | None
    ended_by: str | None

    @property
    def ends_at(self) -> datetime | None:
        """When nothing can be read any more, as far as is known."""
        return first_end(self.expires_at, self.data_expires_at)

    @property
    def is_ended(self) -> bool:
        return self.state is ConnectionState.DISCONNECTED

    def standing(self, now: datetime) -> Standing:
        return standing_of(self.state, ends_at=self.ends_at, last_test_good=self.last_test_good, now=now)


_COLUMNS = [getattr(Connection, name) for name in ConnectionRow.__dataclass_fields__]


def get_connection(session: Session, *, organization_id: UUID, connection_id: UUID) -> ConnectionRow:
    """One connection, also an ended one. Raises ConnectionNotFound."""
    query = select(*_COLUMNS).where(Connection.organization_id == organization_id, Connection.id == connection_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise ConnectionNotFound("There is no such connection here.")
    return _row(tuple(found))


def list_connections(session: Session, *, organization_id: UUID, now: datetime) -> list[ConnectionRow]:
    """All that are in use: what needs somebody first, the worst before the rest, then by service and name."""
    in_use = Connection.state != ConnectionState.DISCONNECTED.value
    query = select(*_COLUMNS).where(Connection.organization_id == organization_id, in_use)
    rows = [_row(tuple(found)) for found in session.execute(query)]
    return sorted(rows, key=lambda row: (*_urgency(row.standing(now)), row.service, row.name.casefold(), row.id))


def list_ended(session: Session, *, organization_id: UUID) -> list[ConnectionRow]:
    """Those that somebody disconnected last."""
    ended = Connection.state == ConnectionState.DISCONNECTED.value
    query = select(*_COLUMNS).where(Connection.organization_id == organization_id, ended)
    found = session.execute(query.order_by(Connection.ended_at.desc(), Connection.id).limit(MOST_ENDED))
    return [_row(tuple(each)) for each in found]


def broken_connections(organization_id: UUID, *, now: datetime) -> ScalarSelect[int]:
    """How many bring nothing in any more until somebody reconnects them, as part of a statement."""
    is_over = or_(Connection.expires_at <= now, Connection.data_expires_at <= now)
    is_broken = or_(Connection.state == ConnectionState.REFUSED.value, is_over)
    in_use = Connection.state != ConnectionState.DISCONNECTED.value
    query = select(func.count(Connection.id)).where(Connection.organization_id == organization_id, in_use, is_broken)
    return query.scalar_subquery()


@dataclass(frozen=True)
class BadLogin:
    """A connection whose login is refused, has ended, or ends soon."""

    id: UUID
    name: str
    standing: Standing
    ends_at: datetime | None
    refused_at: datetime | None


def bad_logins(organization_id: UUID, *, now: datetime) -> Question[list[BadLogin]]:
    """Those that are in use, the worst first, and of those that are alike the one that ends first."""
    soon = now + timedelta(days=SOON_DAYS)
    ends = or_(Connection.expires_at < soon, Connection.data_expires_at < soon)
    columns = Connection.id, Connection.name, Connection.state, Connection.refused_at
    query = select(*columns, Connection.expires_at, Connection.data_expires_at).where(
        Connection.organization_id == organization_id,
        Connection.state != ConnectionState.DISCONNECTED.value,
        or_(Connection.state == ConnectionState.REFUSED.value, ends),
    )

    def take(rows: Sequence[Any]) -> list[BadLogin]:
        found = []
        for row in rows:
            ends_at = first_end(row.expires_at, row.data_expires_at)
            # How it was tested says nothing about how long it lasts.
            standing = standing_of(ConnectionState(row.state), ends_at=ends_at, last_test_good=True, now=now)
            found.append(BadLogin(row.id, row.name, standing, ends_at, row.refused_at))
        return sorted(found, key=lambda one: (*_urgency(one.standing), one.ends_at or now, one.name.casefold()))

    return Question(query, take)


def _urgency(standing: Standing) -> tuple[int]:
    # What is in order stands together, whether it was tested or not.
    return (ORDER.index(standing) if standing.is_problem else len(ORDER),)


def _row(found: tuple[object, ...]) -> ConnectionRow:
    values = dict(zip(ConnectionRow.__dataclass_fields__, found, strict=True))
    return ConnectionRow(**{**values, "state": ConnectionState(str(values["state"]))})  # type: ignore[arg-type]
