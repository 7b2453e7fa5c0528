"""What the preview of a rhythm looks like on a page: the next runs in two zones. Its words are schedules/preview.py."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.errors import Invalid
from app.schedules.preview import RhythmPreview, preview_text
from app.schedules.queries import ScheduleRow
from app.web.formatting import absolute_time

NEXT_RUNS = 5


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


def preview(cron: str, *, timezone: str, spread_key: str, viewer_zone: str, now: datetime) -> Preview:
    """The preview of what stands in a form. Never raises: what cannot be read is explained."""
    try:
        found = preview_text(cron, timezone=timezone, spread_key=spread_key, now=now, count=NEXT_RUNS)
    except Invalid as error:
        return Preview(error.message, is_valid=False)
    return Preview(found.sentence, _next_runs(found, viewer_zone=viewer_zone, now=now), found.notes)


def preview_stored(schedule: ScheduleRow, *, viewer_zone: str, now: datetime, count: int = NEXT_RUNS) -> Preview:
    """The preview of a schedule as it is. Never raises: what cannot be read is explained."""
    try:
        found = preview_text(
            schedule.cron, timezone=schedule.timezone, spread_key=schedule.spread_key, now=now, count=count
        )
    except Invalid as error:
        return Preview(error.message, is_valid=False)
    return Preview(found.sentence, _next_runs(found, viewer_zone=viewer_zone, now=now), found.notes)


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
