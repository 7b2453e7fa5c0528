"""One history of a schedule, the newest first: runs, gaps that nobody executed, repairs, and what people changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from app.events.service import list_repairs
from app.runs.models import Run
from app.runs.queries import RunRow, row_of, select_runs
from app.runs.states import RunState
from app.schedules.gaps import GapRow
from app.schedules.models import Gap, ScheduleVersion
from app.schedules.policies import GapReason
from app.schedules.versions import NO_VERSION, VersionRow, select_versions

Place = tuple[datetime, UUID]
_HIGHEST_NUMBER = 2**63 - 1


class HistoryKind(StrEnum):
    """What a history is narrowed to."""

    RUNS = "runs"  # what was to be done
    CHANGES = "changes"  # what people and code made of it
    GAPS = "gaps"  # what was not done: gaps, skipped slots, and repairs


@dataclass(frozen=True)
class HistoryEntry:
    """A run, at the moment it was made, a gap, at its last slot, a repair or a change; and the id of its place."""

    at: datetime
    id: UUID
    run: RunRow | None = None
    gap: GapRow | None = None
    repair: str | None = None
    change: VersionRow | None = None

    @property
    def place(self) -> Place:
        return self.at, self.id


def list_history(
    session: Session,
    *,
    organization_id: UUID,
    schedule_id: UUID,
    limit: int,
    older_than: Place | None = None,
    kind: HistoryKind | None = None,
    newest: Sequence[RunRow] | None = None,
) -> list[HistoryEntry]:
    """So many entries, the newest first. `older_than` is the place of the last one that was shown.

    `newest` are the newest runs of the schedule where the caller has read at least as many of them already.
    """
    where = organization_id, schedule_id, limit, older_than
    found: list[HistoryEntry] = []
    if newest is not None:
        found += map(_of_run, newest[:limit])
    elif kind is not HistoryKind.CHANGES:
        found += _runs(session, *where, *_which_runs(kind))
    if kind in (None, HistoryKind.GAPS):
        found += [*_gaps(session, *where), *_repairs(session, *where)]
    if kind in (None, HistoryKind.CHANGES):
        found += _changes(session, *where)
    return sorted(found, key=lambda entry: entry.place, reverse=True)[:limit]


def _which_runs(kind: HistoryKind | None) -> list[ColumnElement[bool]]:
    is_skipped = Run.state == RunState.SKIPPED.value
    return [] if kind is None else [is_skipped if kind is HistoryKind.GAPS else ~is_skipped]


def _runs(
    session: Session,
    organization_id: UUID,
    schedule_id: UUID,
    limit: int,
    older_than: Place | None,
    *which: ColumnElement[bool],
) -> Sequence[HistoryEntry]:
    query = select_runs(organization_id, Run.schedule_id == schedule_id, *which)
    if older_than is not None:
        query = query.where(tuple_(Run.created_at, Run.id) < older_than)
    query = query.order_by(Run.created_at.desc(), Run.id.desc()).limit(limit)
    return [_of_run(row_of(row)) for row in session.execute(query)]


def _of_run(row: RunRow) -> HistoryEntry:
    return HistoryEntry(row.created_at, row.id, run=row)


def _changes(
    session: Session, organization_id: UUID, schedule_id: UUID, limit: int, older_than: Place | None
) -> list[HistoryEntry]:
    query = select_versions(organization_id, schedule_id)
    if older_than is not None:
        at, place = older_than
        # At the same instant changes come after runs and gaps, whose ids are higher, and before repairs.
        number = min(max(place.int - _HIGHEST_NUMBER, 0), NO_VERSION)
        query = query.where(tuple_(ScheduleVersion.at, ScheduleVersion.version) < (at, number))
    query = query.order_by(ScheduleVersion.at.desc(), ScheduleVersion.version.desc()).limit(limit)
    rows = [VersionRow(*found) for found in session.execute(query)]
    return [HistoryEntry(row.at, UUID(int=_HIGHEST_NUMBER + row.number), change=row) for row in rows]


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
