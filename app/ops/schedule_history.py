"""What became of a schedule's slots, the newest first: runs, gaps that nobody executed, and repairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.events.service import list_repairs
from app.runs.models import Run
from app.runs.queries import RunRow, row_of, select_runs
from app.schedules.models import Gap
from app.schedules.policies import GapReason
from app.schedules.queries import GapRow

Place = tuple[datetime, UUID]
_HIGHEST_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class HistoryEntry:
    """A run, at the moment it was made, a gap, at its last slot, or a repair; with the id that is its place."""

    at: datetime
    id: UUID
    run: RunRow | None = None
    gap: GapRow | None = None
    repair: str | None = None

    @property
    def place(self) -> Place:
        return self.at, self.id


def list_history(
    session: Session, *, organization_id: UUID, schedule_id: UUID, limit: int, older_than: Place | None = None
) -> list[HistoryEntry]:
    """So many entries, the newest first. `older_than` is the place of the last one that was shown."""
    runs = _runs(session, organization_id, schedule_id, limit, older_than)
    gaps = _gaps(session, organization_id, schedule_id, limit, older_than)
    repairs = _repairs(session, organization_id, schedule_id, limit, older_than)
    return sorted([*runs, *gaps, *repairs], key=lambda entry: entry.place, reverse=True)[:limit]


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


def _repairs(
    session: Session, organization_id: UUID, schedule_id: UUID, limit: int, older_than: Place | None
) -> list[HistoryEntry]:
    # A repair's number is far below every other id: at the same instant it comes last.
    before = None if older_than is None else (older_than[0], min(older_than[1].int, _HIGHEST_NUMBER))
    found = list_repairs(session, organization_id=organization_id, schedule_id=schedule_id, limit=limit, before=before)
    return [HistoryEntry(each.at, UUID(int=each.number), repair=each.text) for each in found]


def _gap_row(gap: Gap) -> GapRow:
    return GapRow(gap.first_slot_at, gap.last_slot_at, gap.slots, GapReason(gap.reason), gap.explanation)
