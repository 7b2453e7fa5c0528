"""What a run asks about a stream before it reads: how far it has come, and what this very run has landed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.syncs.days import DayRange, last_whole_day
from app.syncs.models import Landing, StreamState


@dataclass(frozen=True)
class Progress:
    """How far a stream has come: the last day that is complete, with all before it, and what its reader noted."""

    high_water: date | None = None
    mark: Mapping[str, Any] = field(default_factory=dict)


def read_progress(session: Session, *, organization_id: UUID, connection_id: UUID, stream: str) -> Progress:
    """Where a stream stands; one that never landed is at its beginning."""
    mine = StreamState.organization_id == organization_id, StreamState.connection_id == connection_id
    query = select(StreamState.high_water, StreamState.mark).where(*mine, StreamState.name == stream)
    row = session.execute(query).one_or_none()
    return Progress() if row is None else Progress(row.high_water, row.mark or {})


def has_landed_figures(session: Session, *, organization_id: UUID, connection_id: UUID, run_id: UUID) -> bool:
    """Whether any window that a run has landed had figures in it."""
    mine = Landing.organization_id == organization_id, Landing.run_id == run_id
    query = select(Landing.id).where(*mine, Landing.connection_id == connection_id, Landing.rows_seen > 0).limit(1)
    return session.scalar(query) is not None


def has_landed_version(session: Session, *, organization_id: UUID, connection_id: UUID, version: str) -> bool:
    """Whether figures have landed that a service told with this version of its API."""
    mine = Landing.organization_id == organization_id, Landing.connection_id == connection_id
    return session.scalar(select(Landing.id).where(*mine, Landing.api_version == version).limit(1)) is not None


def landed_by(
    session: Session, *, organization_id: UUID, connection_id: UUID, stream: str, run_id: UUID, zone: str
) -> list[DayRange]:
    """The days that a run has landed and that were over by then: they need not be read by it again."""
    mine = Landing.organization_id == organization_id, Landing.run_id == run_id
    query = select(Landing.first_day, Landing.last_day, Landing.fetched_at).where(
        *mine, Landing.connection_id == connection_id, Landing.stream == stream
    )
    found = [
        DayRange(row.first_day, min(row.last_day, last_whole_day(row.fetched_at, zone)))
        for row in session.execute(query)
    ]
    return [days for days in found if days.first <= days.last]
