"""Quiet hours on the clock of a zone, over midnight and over clock changes alike. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.schedules.zones import find_zone

_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class QuietHours:
    """From one minute of the day to another one; over midnight where the second is not the later one."""

    begin: int
    end: int
    zone: str

    def ends_at(self, now: datetime) -> datetime | None:
        """When the quiet hours end in which this instant lies; None outside of them."""
        tz = find_zone(self.zone).tzinfo
        today = now.astimezone(tz).date()
        over = timedelta(days=1) if self.end <= self.begin else timedelta()
        for day in (today - timedelta(days=1), today):
            begin, end = instant_of(day, self.begin, tz), instant_of(day + over, self.end, tz)
            if begin <= now < end:
                return end
        return None


def instant_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """When a clock first shows this minute of a day, or the first instant after it where it never does."""
    wall = datetime.combine(day, time(minute // 60, minute % 60), zone)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    # The clock jumps over it. The jump lies between what both offsets make of it.
    early, late = wall.replace(fold=1).astimezone(UTC), instant
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        shown = middle.astimezone(zone).replace(tzinfo=None)
        early, late = (early, middle) if shown >= wall.replace(tzinfo=None) else (middle, late)
    return late.replace(microsecond=0)


def clean_minute(minute: int | None) -> int | None:
    """A minute of the day, as settings hold it. Raises ValueError."""
    if minute is not None and not 0 <= minute < _DAY_MINUTES:
        raise ValueError(f"{minute} is no minute of a day")
    return minute
