"""What the preview of a rhythm looks like on a page: the next runs in two zones. Its words are schedules/preview.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Unpack
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.errors import Invalid
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.load_notes import LoadNote
from app.ops.schedule_preview import Draft, SchedulePreview, preview_schedule
from app.schedules.fire_times import Rhythm
from app.schedules.policies import Overlap
from app.schedules.preview import RhythmPreview, Said, preview_of, preview_rhythm, read_typed
from app.schedules.queries import ScheduleRow
from app.schedules.zone_moves import zone_move
from app.web.formatting import absolute_time

NEXT_RUNS, MORE_RUNS = 5, 20


@dataclass(frozen=True)
class NextRun:
    """One coming run. `viewer` is empty when the schedule's wall clock is the viewer's."""

    at: datetime
    wall: str
    viewer: str


@dataclass(frozen=True)
class Preview:
    """What will happen, or why that cannot be said: then `sentence` is the message and `is_valid` is false.

    `moved` says how far another time zone moves the runs.
    """

    sentence: str
    next_runs: tuple[NextRun, ...] = ()
    notes: tuple[str, ...] = ()
    is_valid: bool = True
    moved: str = ""
    load: LoadNote | None = None
    consequence: str | None = None


Company = Callable[[Rhythm, int], SchedulePreview]


def preview(
    cron: str, *, viewer_zone: str, now: datetime, company: Company | None = None, count: int = NEXT_RUNS,
    timezone_was: str = "", **said: Unpack[Said],
) -> Preview:  # fmt: skip
    """The preview of what stands in a form. Never raises: what cannot be read is explained.

    Says also what becomes of the times where the zone is another one than it was. `company` looks at the
    organization's other schedules; without it nothing is read.
    """
    try:
        when = read_typed(cron, now=now, **said)
    except Invalid as error:
        return Preview(error.message, is_valid=False)
    moved = zone_move(cron, timezone_was=timezone_was, now=now, **said)
    if company is None:
        shown = _shown(preview_rhythm(when, now=now, count=count), viewer_zone=viewer_zone, now=now)
        return replace(shown, moved=moved)
    found = company(when, count)
    shown = _shown(found.rhythm, viewer_zone=viewer_zone, now=now)
    twin_notes = () if found.twin_note is None else (found.twin_note,)
    return replace(shown, notes=(*shown.notes, *twin_notes), moved=moved, load=found.load)


def preview_stored(schedule: ScheduleRow, *, viewer_zone: str, now: datetime, count: int = NEXT_RUNS) -> Preview:
    """The preview of a schedule as it is. Never raises: what cannot be read is explained."""
    try:
        found = preview_of(schedule, now=now, count=count)
    except Invalid as error:
        return Preview(error.message, is_valid=False)
    return _shown(found, viewer_zone=viewer_zone, now=now)


def company_of(*, job_id: UUID | None, before: ScheduleRow | None, overlap: Overlap | None = None) -> Company:
    """The other schedules of the organization of this request, for one of that job and in the place of that one."""
    return lambda when, count: preview_schedule(
        request_session(),
        organization_id=current_actor().organization_id,
        books=runtime().previews,
        draft=Draft(when, job_id, before, overlap),
        now=request_now(),
        count=count,
    )


def _shown(found: RhythmPreview, *, viewer_zone: str, now: datetime) -> Preview:
    runs = next_runs(found.next_runs, zone=found.zone, viewer_zone=viewer_zone, now=now)
    return Preview(found.sentence, runs, found.notes, consequence=found.consequence)


def next_runs(found: Sequence[datetime], *, zone: str, viewer_zone: str, now: datetime) -> tuple[NextRun, ...]:
    """Coming runs on the clocks of a zone, and on the viewer's where those show something else."""
    first_offset = found[0].astimezone(ZoneInfo(zone)).strftime("%z") if found else ""
    has_seconds = any(at.second for at in found)
    rows = []
    for at in found:
        wall = absolute_time(at, zone=zone, now=now, seconds=has_seconds)
        mine = absolute_time(at, zone=viewer_zone, now=now, seconds=has_seconds)
        offset = at.astimezone(ZoneInfo(zone)).strftime("%z")
        # The offset is worth its room only where the clocks have changed in between.
        shown = wall if offset == first_offset else f"{wall} (UTC{offset[:3]}:{offset[3:]})"
        rows.append(NextRun(at, shown, "" if mine == wall else _shorter(mine, wall)))
    return tuple(rows)


def _shorter(mine: str, wall: str) -> str:
    """The time alone when both clocks show the same day."""
    day, _, clock = mine.rpartition(", ")
    return clock if wall.startswith(f"{day}, ") else mine
