"""How new figures are, as a standing of each stream: what is here, what is promised, and whether it will be kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.schedules.models import Schedule
from app.syncs.figure_sources import FigureSource, FigureStream
from app.syncs.freshness import Standing, standing

# From its start until a sync has landed what is new, in most accounts and some to spare.
TYPICAL_SYNC = timedelta(minutes=10)


@dataclass(frozen=True)
class StreamFreshness:
    """How one stream stands. Without a standing nothing is promised of it, or nothing of it is whole yet."""

    source: FigureSource
    stream: FigureStream
    standing: Standing | None

    @property
    def words(self) -> str:
        """`data through 2026-05-06 · promised by 07:00 · at risk`, on the account's clock."""
        if self.standing is not None:
            return self.standing.words(self.source.zone or "UTC")
        through = self.stream.data_through
        return "nothing complete yet" if through is None else f"data through {through} · nothing is promised"


def read_freshness(
    session: Session, sources: Sequence[FigureSource], *, organization_id: UUID, now: datetime
) -> list[StreamFreshness]:
    """How each stream of some sources stands, in their order. One statement, and none where nothing is promised."""
    promised = {one.id for one in sources for stream in one.streams if stream.promised_minute is not None}
    starts = _next_starts(session, organization_id, promised)
    return [
        StreamFreshness(source, stream, _standing(source, stream, starts.get(source.id), now))
        for source in sources
        for stream in source.streams
    ]


def _standing(
    source: FigureSource, stream: FigureStream, next_start: datetime | None, now: datetime
) -> Standing | None:
    if stream.promised_minute is None or stream.data_through is None:
        return None
    return standing(
        stream.data_through,
        minute=stream.promised_minute,
        zone=source.zone or "UTC",
        now=now,
        next_start=next_start,
        typical=TYPICAL_SYNC,
    )


def _next_starts(session: Session, organization_id: UUID, connection_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When the next schedule that reads a connection starts."""
    if not connection_ids:
        return {}
    connection = Job.definition["connection_id"].as_string()
    query = (
        select(connection, func.min(Schedule.next_run_at))
        .join(Schedule, (Schedule.organization_id == Job.organization_id) & (Schedule.job_id == Job.id))
        .where(Job.organization_id == organization_id, Job.kind == KindName.SYNC.value, Job.deleted_at.is_(None))
        .where(connection.in_([str(connection_id) for connection_id in connection_ids]))
        .where(Schedule.enabled.is_(True), Schedule.deleted_at.is_(None), Schedule.problem.is_(None))
        .group_by(connection)
    )
    return {UUID(found): at for found, at in session.execute(query) if at is not None}
