"""What the preview of a rhythm looks like on a page: the next runs in two zones. Its words are schedules/preview.py."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.errors import Invalid
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.load_notes import LoadNote
from app.ops.schedule_preview import Draft, SchedulePreview, preview_schedule
from app.schedules.fire_times import Rhythm
from app.schedules.preview import RhythmPreview, preview_rhythm, read_typed
from app.schedules.queries import ScheduleRow
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
    """What will happen, or why that cannot be said: then `sentence` is the message and `is_valid` is false."""

    sentence: str
    next_runs: tuple[NextRun, ...] = ()
    notes: tuple[str, ...] = ()
    is_valid: bool = True
    load: LoadNote | None = None
    consequence: str | None = None


Company = Callable[[Rhythm, int], SchedulePreview]


def preview(
    cron: str, *, timezone: str, spread_key: str, viewer_zone: str, now: datetime, company: Company | None = None,
    count: int = NEXT_RUNS,
) -> Preview:  # fmt: skip
    """The preview of what stands in a form. Never raises: what cannot be read is explained.

    `company` looks at the organization's other schedules; without it nothing is read.
    """
    try:
        when = read_typed(cron, timezone=timezone, spread_key=spread_key, now=now)
    except Invalid as error:
        return Preview(error.message, is_valid=False)
    if company is None:
        return _shown(preview_rhythm(when, now=now, count=count), viewer_zone=viewer_zone, now=now)
    found = company(when, count)
    shown = _shown(found.rhythm, viewer_zone=viewer_zone, now=now)
    twin_notes = () if found.twin_note is None else (found.twin_note,)
    return replace(shown, notes=(*shown.notes, *twin_notes), load=found.load)


def company_of(*, job_id: UUID | None, before: ScheduleRow | None) -> Company:
    """The other schedules of the organization of this request, for one of that job and in the place of that one."""
    return lambda when, count: preview_schedule(
        request_session(),
        organization_id=current_actor().organization_id,
        book=runtime().load,
        draft=Draft(when, job_id, before),
        now=request_now(),
        count=count,
    )


def _shown(found: RhythmPreview, *, viewer_zone: str, now: datetime) -> Preview:
    runs = _next_runs(found, viewer_zone=viewer_zone, now=now)
    return Preview(found.sentence, runs, found.notes, consequence=found.consequence)


def _next_runs(preview: RhythmPreview, *, viewer_zone: str, now: datetime) -> tuple[NextRun, ...]:
    found, zone = preview.next_runs, preview.zone
    first_offset = found[0].astimezone(ZoneInfo(zone)).strftime("%z") if found else ""
    rows = []
    for at in found:
        wall = absolute_time(at, zone=zone, now=now)
        mine = absolute_time(at, zone=viewer_zone, now=now)
        offset = at.astimezone(ZoneInfo(zone)).strftime("%z")
        # The offset is worth its room only where the clocks have changed in between.
        shown = wall if offset == first_offset else f"{wall} (UTC{offset[:3]}:{offset[3:]})"
        rows.append(NextRun(at, shown, "" if mine == wall else _shorter(mine, wall)))
    return tuple(rows)


def _shorter(mine: str, wall: str) -> str:
    """The time alone when both clocks show the same day."""
    day, _, clock = mine.rpartition(", ")
    return clock if wall.startswith(f"{day}, ") else mine
