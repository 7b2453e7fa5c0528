"""Warns of logins that end: 14, 7, 3 and 1 days before, and when it has come to that. Each once.

Finds them as the engine, for all organizations, and tells each as its organization.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, or_, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.events.service import Topic, append_event
from app.syncs.logins import by_belfry
from app.syncs.models import Connection
from app.syncs.runway import WARNING_DAYS, warning_to_tell
from app.syncs.standing import ConnectionState, first_end
from app.tenants.audit import record

# Enough for one batch; the next pass goes on.
MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Ending:
    """A login that ends, and what is to be told of it: so many days, 0 for its end."""

    organization_id: UUID
    connection_id: UUID
    ends_at: datetime
    days: int


def find_endings(session: Session, *, now: datetime) -> list[Ending]:
    """What has to be told and was not yet. Works as ENGINE."""
    horizon = now + timedelta(days=max(WARNING_DAYS))
    soon = or_(Connection.expires_at <= horizon, Connection.data_expires_at <= horizon)
    columns = Connection.organization_id, Connection.id, Connection.expires_at, Connection.data_expires_at
    query = (
        select(*columns, Connection.expiry_told)
        .where(Connection.state == ConnectionState.CONNECTED.value, soon)
        .where(or_(Connection.expiry_told.is_(None), Connection.expiry_told > _next_told(now)))
        .order_by(Connection.id)
        .limit(MOST_AT_ONCE)
    )
    found = []
    for organization_id, connection_id, expires_at, data_expires_at, told in session.execute(query):
        ends_at = first_end(expires_at, data_expires_at)
        days = None if ends_at is None else warning_to_tell(ends_at, now=now, told=told)
        if ends_at is not None and days is not None:
            found.append(Ending(organization_id, connection_id, ends_at, days))
    return found


def tell_ending(session: Session, ending: Ending, *, now: datetime) -> bool:
    """One event and one audit row. Works as the organization. False where somebody else was faster, or it changed."""
    mine = Connection.organization_id == ending.organization_id, Connection.id == ending.connection_id
    unchanged = (
        Connection.state == ConnectionState.CONNECTED.value,
        or_(Connection.expires_at == ending.ends_at, Connection.data_expires_at == ending.ends_at),
        or_(Connection.expiry_told.is_(None), Connection.expiry_told > ending.days),
    )
    query = update(Connection).where(*mine, *unchanged).values(expiry_told=ending.days)
    if count_changed(session, query) != 1:
        return False
    name = session.scalar(select(Connection.name).where(*mine))
    kind = "connection.expiring" if ending.days else "connection.expired"
    record(
        session, actor=by_belfry(ending.organization_id), action=kind, subject_kind="connection",
        subject_id=ending.connection_id, summary=ending_words(str(name), ending.days), now=now,
    )  # fmt: skip
    append_event(
        session, organization_id=ending.organization_id, topic=Topic.CONNECTIONS, kind=kind,
        subject_id=ending.connection_id, now=now,
        data={"days": ending.days, "ends_at": ending.ends_at.isoformat()},
    )  # fmt: skip
    return True


def ending_words(name: str, days: int) -> str:
    """What is told of it, in a sentence."""
    if not days:
        return f"The login of “{name}” has expired. Reconnect it."
    left = "1 day" if days == 1 else f"{days} days"
    return f"The login of “{name}” expires within {left}. Reconnect it before."


def _next_told(now: datetime) -> ColumnElement[int]:
    """The warning that has come for a row by the clock: those that were told it are passed over in the database."""
    reached = []
    for days in sorted(WARNING_DAYS):
        by_then = now + timedelta(days=days)
        reached.append((or_(Connection.expires_at <= by_then, Connection.data_expires_at <= by_then), days))
    return case(*reached, else_=max(WARNING_DAYS))
