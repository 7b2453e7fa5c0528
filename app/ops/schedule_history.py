"""What became of a schedule's slots, the newest first: runs, and the gaps between them that nobody executed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.runs.models import Run
from app.runs.queries import RunRow, row_of, select_runs
from app.schedules.models import Gap
from app.schedules.policies import GapReason
from app.schedules.queries import GapRow

Place = tuple[datetime, UUID]


@dataclass(frozen=True)
class HistoryEntry:
    """A run, at the moment it was made, or a gap, at its last slot. Together with the id that is its place."""

    at: datetime
    id: UUID
    run: RunRow | None = None
    gap: GapRow | None = None

    @property
    def place(self) -> Place:
        return self.at, self.id


def list_history(
    session: Session, *, organization_id: UUID, schedule_id: UUID, limit: int, older_than: Place | None = None
) -> list[HistoryEntry]:
    """So many entries, the newest first. `older_than` is the place of the last one that was shown."""
    runs = _runs(session, organization_id, schedule_id, limit, older_than)
    gaps = _gaps(session, organization_id, schedule_id, limit, older_than)
    return sorted([*runs, *gaps], key=lambda entry: entry.place, reverse=True)[:limit]


def _runs(
    session: Session, organization_id: UUID, schedule_id: UUID, limit: int, older_than: Place | None
) -> Sequence[HistoryEntry]:
    query = select_runs(organization_id, Run.schedule_id == schedule_id)
    if older_than is not None:
        query = query.where(tuple_(Run.created_at, Run.id) < older_than)
    query = query.order_by(Run.created_at.desc(), Run.id.desc()).limit(limit)
    return [HistoryEntry(row.created_at, row.id, run=row) for row in map(row_of, session.execute(query))]


def _gaps(
    session: Session, organization_id: UUID, schedule_id: UUID, limit: int, older_than: Place | None
) -> Sequence[HistoryEntry]:
    query = select(Gap).where(Gap.organization_id == organization_id, Gap.schedule_id == schedule_id)
    if older_than is not None:
        query = query.where(tuple_(Gap.last_slot_at, Gap.id) < older_than)
    query = query.order_by(Gap.last_slot_at.desc(), Gap.id.desc()).limit(limit)
    return [HistoryEntry(gap.last_slot_at, gap.id, gap=_gap_row(gap)) for gap in session.scalars(query)]


def _gap_row(gap: Gap) -> GapRow:
    return GapRow(gap.first_slot_at, gap.last_slot_at, gap.slots, GapReason(gap.reason), gap.explanation)
