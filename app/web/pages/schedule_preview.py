"""What a rhythm will do, in words: its sentence, the next runs in two zones, notes."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.errors import Invalid
from app.schedules.cron import LONGEST_TEXT
from app.schedules.describe import describe, notes
from app.schedules.fire_times import Rhythm, fire_times, rhythm
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
    if not cron.strip():
        return Preview("Choose when it should run.", is_valid=False)
    if len(cron) > LONGEST_TEXT:
        # Without a count: a script sends the beginning of such a text alone.
        return Preview(f"A cron line has at most {LONGEST_TEXT} characters. Shorten the text.", is_valid=False)
    try:
        when = rhythm(cron, timezone=timezone, spread_key=spread_key)
    except Invalid as error:
        return Preview(error.message, is_valid=False)
    return Preview(
        sentence=describe(when),
        next_runs=_next_runs(when, viewer_zone=viewer_zone, now=now),
        notes=notes(when, now=now),
    )


def _next_runs(when: Rhythm, *, viewer_zone: str, now: datetime) -> tuple[NextRun, ...]:
    found = fire_times(when, after=now, limit=NEXT_RUNS)
    zone = when.zone.name
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
