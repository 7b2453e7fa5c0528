"""How new figures are, as a standing of each stream: what is here, what is promised, and whether it will be kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.ops.sync_starts import next_starts
from app.syncs.figure_sources import FigureSource, FigureStream
from app.syncs.freshness import Standing, freshness_words, standing_to_promise


@dataclass(frozen=True)
class StreamFreshness:
    """How one stream stands. Without a standing nothing is promised of it, or nothing of it is whole yet."""

    source: FigureSource
    stream: FigureStream
    standing: Standing | None

    @property
    def words(self) -> str:
        """`data through 2026-05-06 · promised by 07:00 · at risk`, on the account's clock."""
        stream = self.stream
        return freshness_words(self.standing, data_through=stream.data_through, zone=self.source.zone, lost=stream.lost)


def read_freshness(
    session: Session, sources: Sequence[FigureSource], *, organization_id: UUID, now: datetime
) -> list[StreamFreshness]:
    """How each stream of some sources stands, in their order. One statement, and none where nothing is promised."""
    promised = {one.id for one in sources for stream in one.streams if stream.promised_minute is not None}
    starts = next_starts(session, organization_id=organization_id, connection_ids=promised)
    return [
        StreamFreshness(source, stream, _standing(source, stream, starts.get(source.id), now))
        for source in sources
        for stream in source.streams
    ]


def _standing(
    source: FigureSource, stream: FigureStream, next_start: datetime | None, now: datetime
) -> Standing | None:
    return standing_to_promise(
        stream.data_through, minute=stream.promised_minute, zone=source.zone, now=now, next_start=next_start
    )
