"""What the three rules for clock changes mean, step by step on a clock: to be compared with.

It shares nothing with the application. A step is a minute, or a second where a rhythm has them.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.unit.schedules.cron_oracle import MINUTE, THREE_HOURS, CronJob, expand_field

SECOND = timedelta(seconds=1)
LONGEST_JUMP = THREE_HOURS * MINUTE
Names = Callable[[datetime], bool]


def names_of(line: str) -> tuple[Names, bool]:
    """Which wall times a cron line names, with or without seconds, and whether it runs by elapsed time."""
    texts = line.split()
    seconds = expand_field(texts[0], 0) if len(texts) == 6 else frozenset({0})
    job = CronJob(" ".join(texts[-5:]))
    return (lambda wall: wall.second in seconds and job.matches(wall)), job.is_wild


class Window:
    """A stretch of time as a zone's clocks show it."""

    def __init__(self, zone: str, start: datetime, stop: datetime, step: timedelta = MINUTE) -> None:
        self.step = step
        self.instants = [start + step * number for number in range((stop - start) // step + 1)]
        place = ZoneInfo(zone)
        self.walls = [at.astimezone(place).replace(tzinfo=None) for at in self.instants]

    def fires(self, names: Names, rule: str | None) -> Iterator[datetime]:
        """The instants at which it fires by a rule; without one, whenever the clock shows a named time."""
        seen = self.walls[0] - self.step
        before = seen
        for at, wall in zip(self.instants, self.walls, strict=True):
            jump = wall - before - self.step
            if jump < -LONGEST_JUMP or (jump < timedelta() and rule == "twice"):
                seen = wall - self.step
            is_new = wall > seen
            jumped = self._jumped_over(before, wall) if timedelta() < jump < LONGEST_JUMP else []
            if rule is None:
                if names(wall):
                    yield at
            elif (is_new and names(wall)) or (rule != "skip" and any(names(w) for w in jumped if w > seen)):
                yield at
            seen, before = max(seen, wall), wall

    def _jumped_over(self, before: datetime, wall: datetime) -> list[datetime]:
        return [before + self.step * number for number in range(1, (wall - before) // self.step)]


def elapsed(anchor: datetime, step: timedelta, window: Window) -> list[datetime]:
    """Every so long from an instant on."""
    return [at for at in window.instants if at >= anchor and (at - anchor) % step == timedelta()]


def first_showing(zone: str, wall: datetime) -> datetime:
    """The first instant at which a zone's clocks show this time or, jumping over it, a later one."""
    place = ZoneInfo(zone)
    at = wall.replace(tzinfo=UTC) - timedelta(hours=26)
    while at.astimezone(place).replace(tzinfo=None) < wall:
        at += MINUTE
    return at
