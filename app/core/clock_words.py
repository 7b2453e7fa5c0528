"""Words for instants on the clocks of a zone: the same on pages, in the API and in commands.

Pure but for one thing: whether hours are counted to 24 or to 12 is the reader's wish, which goes along unsaid.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class HourClock(StrEnum):
    """How the hours of a day are counted."""

    H24 = "24"
    H12 = "12"


# Like a language: whose page it is decides, and the many functions that only pass words on need not know.
# Programs and terminals never set it.
_hours: ContextVar[HourClock] = ContextVar("hours", default=HourClock.H24)


def count_hours_by(clock: HourClock) -> None:
    """From here on, the words of this request are by that clock."""
    _hours.set(clock)


def are_hours_counted_to_24() -> bool:
    """Whether they are, for words that others make."""
    return _hours.get() is HourClock.H24


def clock_time(hour: int, minute: int, second: int | None = None) -> str:
    """“14:30”, “14:30:05”; by the other clock “2:30 pm”, “2:30:05 pm”."""
    rest = f"{minute:02}" if second is None else f"{minute:02}:{second:02}"
    if are_hours_counted_to_24():
        return f"{hour:02}:{rest}"
    return f"{hour % 12 or 12}:{rest} {'am' if hour < 12 else 'pm'}"


def axis_hour(wall: datetime) -> str:
    """A full hour where there is little room: “14:00”, “2 pm”."""
    return clock_time(wall.hour, wall.minute).replace(":00 ", " ")


def wall_clock(wall: datetime, *, seconds: bool = False) -> str:
    """The time of day of what is on the right clocks already."""
    return clock_time(wall.hour, wall.minute, wall.second if seconds else None)


def calendar_day(at: datetime, *, now: datetime, zone: str = "UTC") -> str:
    """“21 Nov”, with the year when it is not this one."""
    wall, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    return f"{wall.day} {wall:%b}" if wall.year == today.year else f"{wall.day} {wall:%b %Y}"


def absolute_time(at: datetime, *, zone: str, now: datetime, seconds: bool = False) -> str:
    """“Sat 21 Nov, 02:30” on the wall clock of a zone, with the year when it is not this one."""
    wall = at.astimezone(ZoneInfo(zone))
    return f"{wall:%a} {calendar_day(at, now=now, zone=zone)}, {wall_clock(wall, seconds=seconds)}"


def zoned_time(at: datetime, *, zone: str, now: datetime, seconds: bool = False) -> str:
    """The same with the zone named: “Sat 21 Nov, 02:30 New York”. For a zone that is not the viewer's."""
    return f"{absolute_time(at, zone=zone, now=now, seconds=seconds)} {zone_label(zone)}"


def zone_label(zone: str) -> str:
    """“New York” for America/New_York."""
    return zone.rpartition("/")[2].replace("_", " ")


@dataclass(frozen=True)
class Clocks:
    """On which clocks an effect is told: those of a zone, and the viewer's where these show something else."""

    zone: str
    viewer_zone: str
    now: datetime

    def say(self, at: datetime) -> str:
        """“Sat 21 Nov, 02:30 New York (08:30 your time)”."""
        said = zoned_time(at, zone=self.zone, now=self.now, seconds=at.second > 0)
        mine = self.of_viewer(at)
        return f"{said} ({mine} your time)" if mine else said

    def of_viewer(self, at: datetime) -> str:
        """The viewer's time, without the day where it is the same; empty where both clocks agree."""
        here, mine = (
            absolute_time(at, zone=zone, now=self.now, seconds=at.second > 0) for zone in (self.zone, self.viewer_zone)
        )
        if here == mine:
            return ""
        day, _, clock = mine.rpartition(", ")
        return clock if here.startswith(f"{day}, ") else mine
