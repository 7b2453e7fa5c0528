"""Words for instants on the clocks of a zone: the same on pages, in the API and in commands. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


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
