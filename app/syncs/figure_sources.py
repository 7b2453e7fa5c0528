"""Where figures come from: connections, each with its streams. A read for those who show figures."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.syncs.connections import ConnectionState
from app.syncs.days import DayRange
from app.syncs.figures import Level, Metric
from app.syncs.lost_days import lost_days
from app.syncs.models import Connection, LandedEntity, LandedFigure, Landing, StreamState
from app.syncs.streams import Doubt

# More than anybody chooses from; the rest is found by its own address.
MOST_SOURCES = 500
_MOST_DOUBTFUL = 50
# Services that take figures and have none of their own, by the words that connections have.
NO_SOURCES = frozenset({"sheets"})


@dataclass(frozen=True)
class FigureStream:
    """One stream of a source: how far it has come, what is promised of it, and whether it is in doubt."""

    name: str
    level: Level
    data_through: date | None
    fetched_at: datetime | None
    promised_minute: int | None
    doubt: Doubt | None
    doubted_since: datetime | None
    # Days that can never be had, though others before them have landed.
    lost: tuple[DayRange, ...] = ()


@dataclass(frozen=True)
class FigureSource:
    """A connection as a place that figures come from. Its days begin by its `zone`; unknown before the first sync."""

    id: UUID
    name: str
    service: str
    zone: str | None
    currency: str | None
    state: ConnectionState
    streams: tuple[FigureStream, ...]

    @property
    def is_connected(self) -> bool:
        return self.state is not ConnectionState.DISCONNECTED

    def of_level(self, level: Level) -> tuple[FigureStream, ...]:
        return tuple(stream for stream in self.streams if stream.level is level)

    def lost(self, level: Level) -> tuple[DayRange, ...]:
        """The days of which something of a level can never be had."""
        return tuple(days for stream in self.of_level(level) for days in stream.lost)

    def data_through(self, level: Level) -> date | None:
        """The last day of which everything of a level is here; None while there is none."""
        reached = [stream.data_through for stream in self.of_level(level)]
        days = [day for day in reached if day is not None]
        return min(days) if days and len(days) == len(reached) else None


@dataclass(frozen=True)
class DoubtfulDays:
    """Days that a landing brought which is in doubt."""

    connection_id: UUID
    first: date
    last: date
    doubt: Doubt


def list_sources(
    session: Session, *, organization_id: UUID, connection_ids: Collection[UUID] | None = None
) -> list[FigureSource]:
    """The connections of an organization, or some of them, by service and name: ended ones last."""
    streams = (StreamState.organization_id == Connection.organization_id, StreamState.connection_id == Connection.id)
    is_ended = Connection.state == ConnectionState.DISCONNECTED.value
    order = (is_ended, Connection.service, Connection.name, Connection.id)
    chosen = select(Connection.id).where(
        Connection.organization_id == organization_id, Connection.service.not_in(NO_SOURCES)
    )
    if connection_ids is not None:
        chosen = chosen.where(Connection.id.in_(connection_ids))
    first = chosen.order_by(*order).limit(MOST_SOURCES).subquery()
    query = (
        select(Connection, StreamState)
        .join(first, first.c.id == Connection.id)
        .outerjoin(StreamState, streams[0] & streams[1])
        .where(Connection.organization_id == organization_id)
        .order_by(*order, StreamState.name)
    )
    found: dict[UUID, tuple[Connection, list[FigureStream]]] = {}
    for connection, stream in session.execute(query):
        _, own = found.setdefault(connection.id, (connection, []))
        if stream is not None:
            own.append(_stream(stream))
    return [_source(connection, own) for connection, own in found.values()]


def first_days(
    session: Session, *, organization_id: UUID, connection_ids: Collection[UUID], level: Level, metric: Metric
) -> dict[UUID, date]:
    """The first day of which a metric is known, of each connection that has one at all."""
    # The first entry of the index of each: to group all of them would read them all.
    first = (
        select(LandedFigure.day)
        .where(LandedFigure.organization_id == organization_id, LandedFigure.connection_id == Connection.id)
        .where(LandedFigure.level == level.value, LandedFigure.metric == metric.value)
        .order_by(LandedFigure.day)
        .limit(1)
        .correlate(Connection)
        .scalar_subquery()
    )
    query = select(Connection.id, first).where(
        Connection.organization_id == organization_id, Connection.id.in_(connection_ids)
    )
    return {connection_id: day for connection_id, day in session.execute(query) if day is not None}


def list_doubtful_days(
    session: Session, *, organization_id: UUID, connection_ids: Collection[UUID], level: Level
) -> list[DoubtfulDays]:
    """The days that landings brought which are in doubt now, the newest first."""
    stream = (
        (StreamState.organization_id == Landing.organization_id)
        & (StreamState.connection_id == Landing.connection_id)
        & (StreamState.name == Landing.stream)
    )
    query = (
        select(Landing.connection_id, Landing.first_day, Landing.last_day, Landing.doubt)
        .join(StreamState, stream)
        .where(Landing.organization_id == organization_id, Landing.connection_id.in_(connection_ids))
        .where(StreamState.level == level.value, StreamState.doubt.is_not(None), Landing.doubt.is_not(None))
        .where(Landing.landed_at >= StreamState.doubted_since)
        .order_by(Landing.fetched_at.desc())
        .limit(_MOST_DOUBTFUL)
    )
    return [DoubtfulDays(id_, first, last, Doubt(str(doubt))) for id_, first, last, doubt in session.execute(query)]


def find_entity(
    session: Session, *, organization_id: UUID, connection_id: UUID, level: Level, entity_id: str
) -> str | None:
    """What a campaign or channel is called; None for one of which nothing ever landed."""
    query = select(LandedEntity.name).where(
        LandedEntity.organization_id == organization_id,
        LandedEntity.connection_id == connection_id,
        LandedEntity.level == level.value,
        LandedEntity.entity_id == entity_id,
    )
    return session.scalar(query)


def _source(connection: Connection, streams: list[FigureStream]) -> FigureSource:
    return FigureSource(
        connection.id,
        connection.name,
        connection.service,
        connection.zone,
        connection.currency,
        ConnectionState(connection.state),
        tuple(streams),
    )


def _stream(row: StreamState) -> FigureStream:
    return FigureStream(
        row.name,
        Level(row.level),
        row.high_water,
        row.fetched_at,
        row.promised_minute,
        None if row.doubt is None else Doubt(row.doubt),
        row.doubted_since,
        lost_days(row.mark),
    )
