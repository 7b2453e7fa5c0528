"""Words for times, durations and counts, as pages print them. Pure. The browser keeps relative times ticking."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.lengths import STEPS
from app.core.lengths import duration as duration  # noqa: PLC0414 - pages take all their words from here

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


def calendar_day(at: datetime, *, now: datetime, zone: str = "UTC") -> str:
    """“21 Nov”, with the year when it is not this one."""
    wall, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    return f"{wall.day} {wall:%b}" if wall.year == today.year else f"{wall.day} {wall:%b %Y}"


def absolute_time(at: datetime, *, zone: str, now: datetime, seconds: bool = False) -> str:
    """“Sat 21 Nov, 02:30” on the wall clock of a zone, with the year when it is not this one."""
    wall = at.astimezone(ZoneInfo(zone))
    clock = f"{wall:%H:%M:%S}" if seconds else f"{wall:%H:%M}"
    return f"{wall:%a} {calendar_day(at, now=now, zone=zone)}, {clock}"


def zoned_time(at: datetime, *, zone: str, now: datetime, seconds: bool = False) -> str:
    """The same with the zone named: “Sat 21 Nov, 02:30 New York”. For a zone that is not the viewer's."""
    return f"{absolute_time(at, zone=zone, now=now, seconds=seconds)} {zone_label(zone)}"


def zone_label(zone: str) -> str:
    """“New York” for America/New_York."""
    return zone.rpartition("/")[2].replace("_", " ")


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
