"""Reads of streams and their landings: how far each has come, what is promised of it, and what was odd."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.syncs.connections import ConnectionState
from app.syncs.days import DayRange
from app.syncs.lost_days import lost_days
from app.syncs.models import Connection, Landing, StreamState
from app.syncs.streams import Doubt
from app.syncs.volume import Band


@dataclass(frozen=True)
class StreamRow:
    """One stream of a connection. `zone` is the account's; what is promised is a minute of its day."""

    connection_id: UUID
    connection: str
    service: str
    zone: str | None
    name: str
    level: str
    data_through: date | None
    fetched_at: datetime | None
    promised_minute: int | None
    doubt: Doubt | None
    doubted_since: datetime | None
    # Of which day somebody was told that it is not here as promised, and how it stood then.
    told_day: date | None = None
    told: str | None = None
    # Whether its connection was disconnected.
    is_ended: bool = False
    # Days that can never be had, though others before them have landed.
    lost: tuple[DayRange, ...] = ()


@dataclass(frozen=True)
class LandingRow:
    """One window that was landed. `usual` is how many rows had been usual, unless too little was known."""

    run_id: UUID
    first_day: date
    last_day: date
    fetched_at: datetime
    landed_at: datetime
    rows_seen: int
    rows_changed: int
    usual: Band | None
    doubt: Doubt | None
    flags: tuple[str, ...]


def list_streams(
    session: Session, *, organization_id: UUID, connection_ids: Collection[UUID] | None = None
) -> list[StreamRow]:
    """The streams of an organization, or of some of its connections, in the order of their names."""
    same = (Connection.organization_id == StreamState.organization_id, Connection.id == StreamState.connection_id)
    query = (
        select(StreamState, Connection.name, Connection.service, Connection.zone, Connection.state)
        .join(Connection, same[0] & same[1])
        .where(StreamState.organization_id == organization_id)
        .order_by(Connection.name, Connection.id, StreamState.name)
    )
    if connection_ids is not None:
        query = query.where(StreamState.connection_id.in_(connection_ids))
    return [
        StreamRow(
            row.connection_id,
            connection,
            service,
            zone,
            row.name,
            row.level,
            row.high_water,
            row.fetched_at,
            row.promised_minute,
            None if row.doubt is None else Doubt(row.doubt),
            row.doubted_since,
            row.told_day,
            row.told,
            state == ConnectionState.DISCONNECTED.value,
            lost_days(row.mark),
        )
        for row, connection, service, zone, state in session.execute(query)
    ]


def list_landings(
    session: Session, *, organization_id: UUID, connection_id: UUID, stream: str, limit: int
) -> list[LandingRow]:
    """What was landed of a stream, the newest first."""
    query = (
        select(Landing)
        .where(Landing.organization_id == organization_id, Landing.connection_id == connection_id)
        .where(Landing.stream == stream)
        .order_by(Landing.fetched_at.desc(), Landing.first_day.desc())
        .limit(limit)
    )
    return [_landing(row) for row in session.scalars(query)]


def _landing(row: Landing) -> LandingRow:
    has_usual = row.usual_low is not None and row.usual_high is not None
    return LandingRow(
        row.run_id,
        row.first_day,
        row.last_day,
        row.fetched_at,
        row.landed_at,
        row.rows_seen,
        row.rows_changed,
        Band(row.usual_low or 0, row.usual_high or 0) if has_usual else None,
        None if row.doubt is None else Doubt(row.doubt),
        tuple(row.flags.split(",")) if row.flags else (),
    )
