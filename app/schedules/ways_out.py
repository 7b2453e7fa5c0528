"""How a schedule keeps out of the way of the clock changes: at another hour, or on UTC. Offered, never done. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.schedules.change_notes import changes_ahead, clock_change_notes
from app.schedules.clock_changes import DAY_MINUTES, OffsetChange
from app.schedules.cron import CronExpression
from app.schedules.fire_times import Rhythm
from app.schedules.intervals import Interval
from app.schedules.phrases import clock_text
from app.schedules.rhythm_text import CronLines, Times

# The nearest hour first, and of two that are equally near the later one.
_SHIFTS = (1, -1, 2, -2, 3, -3)
# The seconds, where the text has six fields, are left as they are, and never read as the minute.
_ONE_TIME = re.compile(r"((?:\S+\s+(?=(?:\S+\s+){4}\S+\s*\Z))?+)(\d{1,2})(\s+)(\d{1,2})(?=\s)")


@dataclass(frozen=True)
class WayOut:
    """The same text with another hour, and that time on the clock; both empty where only UTC helps."""

    cron: str
    clock: str


def way_out(when: Rhythm, *, now: datetime) -> WayOut | None:
    """How to avoid what the clock changes do to it; None where they do nothing to the times that it names."""
    if not names_times(when.cron) or not clock_change_notes(when, now=now):
        return None
    found = _ONE_TIME.match(when.cron.text) if isinstance(when.cron, CronExpression) else None
    if found is None:
        return WayOut("", "")
    changes, minute, hour = changes_ahead(when, now), int(found[2]), int(found[4])
    for other in (hour + shift for shift in _SHIFTS if 0 <= hour + shift < 24):
        if not _is_troubled(other * 60 + minute, changes):
            return WayOut(
                _ONE_TIME.sub(rf"\g<1>\g<2>\g<3>{other}", when.cron.text, count=1), clock_text(other * 60 + minute)
            )
    return WayOut("", "")


def ways_out(when: Rhythm, *, now: datetime) -> list[tuple[str, str]]:
    """The same, as cron text and time zone of each way; none where the clock changes do nothing to it."""
    found = way_out(when, now=now)
    if found is None:
        return []
    hour = [(found.cron, when.zone.name)] if found.cron else []
    return [*hour, (when.cron.text, "UTC")]


def names_times(times: Times) -> bool:
    """Whether it keeps to the clock on the wall. What runs by elapsed time loses and repeats nothing."""
    if isinstance(times, Interval):
        return not times.is_elapsed
    if isinstance(times, CronLines):
        return any(line.is_fixed for line in times.lines)
    return not isinstance(times, CronExpression) or times.is_fixed


def _is_troubled(minute: int, changes: Iterable[OffsetChange]) -> bool:
    """Whether one of the changes leaves this minute of the day out, or repeats it."""
    walls = ((change.at + change.before, change.at + change.after) for change in changes)
    return any((minute - min(pair)) % DAY_MINUTES < max(pair) - min(pair) for pair in walls)
