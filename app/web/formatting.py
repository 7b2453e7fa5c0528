"""Words for times, durations and counts, as pages print them. Pure. The browser keeps relative times ticking."""

from datetime import datetime, timedelta

# Pages take all their words from here.
from app.core.clock_words import absolute_time as absolute_time  # noqa: PLC0414
from app.core.clock_words import calendar_day as calendar_day  # noqa: PLC0414
from app.core.clock_words import wall_clock as wall_clock  # noqa: PLC0414
from app.core.clock_words import zone_label as zone_label  # noqa: PLC0414
from app.core.clock_words import zoned_time as zoned_time  # noqa: PLC0414
from app.core.lengths import STEPS
from app.core.lengths import duration as duration  # noqa: PLC0414

# Beyond a week the date alone says more.
_LONGEST_AGE = timedelta(days=7)
_LONGEST_COUNT = 100_000


def relative_time(at: datetime, *, now: datetime, zone: str = "UTC") -> str:
    """“4 min ago” or “in 3 min”, rounded down; beyond seven days the date."""
    distance = abs(at - now)
    if distance > _LONGEST_AGE:
        return calendar_day(at, now=now, zone=zone)
    seconds = int(distance.total_seconds())
    if seconds < 1:
        return "now"
    unit, length = next(step for step in STEPS if seconds >= step[1])
    text = f"{seconds // length} {unit}"
    return f"in {text}" if at > now else f"{text} ago"


def count(value: int) -> str:
    """“4,212”; from a hundred thousand “128k”."""
    return f"{value:,}" if value < _LONGEST_COUNT else f"{value // 1000:,}k"


def percent(part: int, whole: int) -> str:
    """“98.6%”; 100% means all. Fewer than five are told as “3 of 4”, none as a dash."""
    if whole == 0:
        return "–"
    if whole < 5:
        return f"{part} of {whole}"
    if part == whole:
        return "100%"
    return f"{min(part / whole * 100, 99.9):.1f}%"


def state_label(state: str) -> str:
    """The word of a state, as a person reads it."""
    return _STATE_LABELS.get(str(state), str(state).replace("_", " ").capitalize())


_STATE_LABELS = {"ready": "Queued", "waiting_retry": "Waiting to retry", "ok": "OK"}
