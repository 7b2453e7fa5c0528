"""What lies behind a schedule: its history. What lies ahead of it: schedule_previews.py."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.api.models import Answer, Moment, Paging
from app.api.paging import read_cursor, write_cursor
from app.api.resource import Page, resource
from app.api.resources.schedule_versions import FieldChange, field_changes, names_of_jobs
from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.ops.schedule_history import HistoryEntry, HistoryKind, Place, list_history
from app.runs.queries import RunRow
from app.runs.states import Reason, RunState, Trigger
from app.schedules.gaps import GapRow
from app.schedules.policies import GapReason
from app.schedules.queries import get_schedule
from app.schedules.version_words import version_lines
from app.schedules.versions import VersionRow
from app.tenants.access import Permission

_TAG = "Schedules"


class EntryKind(StrEnum):
    """What an entry of the history is."""

    RUN = "run"
    GAP = "gap"
    REPAIR = "repair"
    CHANGE = "change"


class HistoryRun(Answer):
    """A run of the schedule."""

    id: UUID
    state: RunState
    trigger: Trigger
    reason: Reason | None
    error: str | None
    attempt: int
    tries: int
    due_at: Moment
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    late_seconds: Annotated[float | None, Field(description="How long after its time it started.")]
    duration_seconds: float | None


class HistoryGap(Answer):
    """Slots that nobody executed, from the first to the last."""

    first_slot_at: Moment
    last_slot_at: Moment
    slots: int
    reason: GapReason
    explanation: Annotated[str | None, Field(description="Who or what it was, where the reason does not say it.")]


class HistoryChange(Answer):
    """What somebody made of the schedule."""

    version: int
    by: Annotated[str | None, Field(description="Who did; null where that is not recorded.")]
    restored_from: int | None
    changes: Annotated[list[FieldChange], Field(description="Empty for the version that it was made with.")]
    words: Annotated[list[str], Field(description="The same in words, a line for each field.")]


class HistoryQuery(Paging):
    """What the history is narrowed to."""

    kind: Annotated[
        HistoryKind | None,
        Field(description="`runs`, `changes`, or `gaps`: gaps, skipped slots and repairs. Unless given, all of them."),
    ] = None


class HistoryOut(Answer):
    """A run, at the moment it was made, a gap, at its last slot, a repair or a change."""

    kind: EntryKind
    at: Moment
    run: HistoryRun | None
    gap: HistoryGap | None
    repair: Annotated[str | None, Field(description="What was wrong with the schedule and was mended by itself.")]
    change: HistoryChange | None


@resource(
    "GET",
    "/schedules/<uuid:schedule_id>/history",
    permission=Permission.VIEW,
    query=HistoryQuery,
    answer=HistoryOut,
    is_list=True,
    tag=_TAG,
)
def show_schedule_history(schedule_id: UUID, query: HistoryQuery) -> Page[HistoryOut]:
    """Runs of a schedule, the gaps between them, what was mended by itself and who changed what, the newest first."""
    session, organization_id = request_session(), current_actor().organization_id
    get_schedule(session, organization_id=organization_id, schedule_id=schedule_id)
    found = list_history(
        session,
        organization_id=organization_id,
        schedule_id=schedule_id,
        limit=query.limit + 1,
        older_than=_place(read_cursor(query)),
        kind=query.kind,
    )
    entries = found[: query.limit]
    goes_on = write_cursor(entries[-1].at.isoformat(), str(entries[-1].id)) if len(found) > len(entries) else None
    jobs = names_of_jobs([entry.change for entry in entries if entry.change is not None])
    return Page([_entry(entry, jobs) for entry in entries], goes_on)


def _place(cursor: list[str] | None) -> Place | None:
    return (datetime.fromisoformat(cursor[0]), UUID(cursor[1])) if cursor else None


def _entry(entry: HistoryEntry, jobs: Mapping[UUID, str]) -> HistoryOut:
    return HistoryOut(
        kind=_kind(entry),
        at=entry.at,
        run=None if entry.run is None else _run(entry.run),
        gap=None if entry.gap is None else _gap(entry.gap),
        repair=entry.repair,
        change=None if entry.change is None else _change(entry.change, jobs),
    )


def _change(row: VersionRow, jobs: Mapping[UUID, str]) -> HistoryChange:
    return HistoryChange(
        version=row.number,
        by=row.by or None,
        restored_from=row.restored_from,
        changes=field_changes(row.differences, jobs),
        words=list(version_lines(row, jobs=jobs)),
    )


def _kind(entry: HistoryEntry) -> EntryKind:
    if entry.change is not None:
        return EntryKind.CHANGE
    if entry.repair is not None:
        return EntryKind.REPAIR
    return EntryKind.GAP if entry.run is None else EntryKind.RUN


def _run(row: RunRow) -> HistoryRun:
    return HistoryRun(
        id=row.id,
        state=row.state,
        trigger=row.trigger,
        reason=row.reason,
        error=row.error,
        attempt=row.attempt,
        tries=row.tries,
        due_at=row.due_at,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        late_seconds=None if row.lateness is None else row.lateness.total_seconds(),
        duration_seconds=None if row.duration is None else row.duration.total_seconds(),
    )


def _gap(row: GapRow) -> HistoryGap:
    return HistoryGap(
        first_slot_at=row.first_slot_at,
        last_slot_at=row.last_slot_at,
        slots=row.slots,
        reason=row.reason,
        explanation=row.explanation,
    )
