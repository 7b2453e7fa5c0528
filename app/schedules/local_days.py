"""How many runs a rhythm has on a day of its clock, and how many it names there. Pure."""

from datetime import UTC
from typing import NamedTuple

from app.schedules.clock_changes import DAY_MINUTES, to_instant
from app.schedules.fire_times import MOMENT, Rhythm, count_fires
from app.schedules.intervals import Interval
from app.schedules.single_times import SingleTimes
from app.schedules.walls import A_MINUTE, A_SECOND, Walls, walls_of


class Instead(NamedTuple):
    """The runs of a day, and how many it would have if nobody changed its clock."""

    actual: int
    usual: int


def runs_instead(rhythm: Rhythm, day: int) -> Instead | None:
    """The runs of a day that has another number of them than usual; None for any other. Days count from 0001-01-01.

    None also for a day on which the rhythm begins or ends: there is nothing usual about it.
    """
    midnights = day * DAY_MINUTES, (day + 1) * DAY_MINUTES
    first, end = (to_instant(wall).replace(tzinfo=rhythm.zone.tzinfo).astimezone(UTC) for wall in midnights)
    starts_at, ends_at = rhythm.starts_at, rhythm.ends_at
    if (starts_at is not None and starts_at > first) or (ends_at is not None and ends_at < end):
        return None
    walls = named_walls(rhythm)
    steps = A_MINUTE // walls.unit
    usual = walls.count(midnights[0] * steps, midnights[1] * steps)
    actual = count_fires(rhythm, after=first - MOMENT, until=end - MOMENT)
    return None if actual == usual else Instead(actual, usual)


def named_walls(rhythm: Rhythm) -> Walls:
    """All that it names on the clock; of an interval of hours or minutes what it would name without changes."""
    times = rhythm.cron
    if isinstance(times, Interval | SingleTimes):
        return times
    is_plain = all(line.seconds == (0,) for line in times.lines)
    return walls_of(times.lines, A_MINUTE if is_plain else A_SECOND)
