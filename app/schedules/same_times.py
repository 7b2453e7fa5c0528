"""Whether two rhythms fire at the same instants from now on, however they are written. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from app.schedules.cron import CronExpression
from app.schedules.fire_times import MOMENT, ClockChange, Rhythm, count_fires, fire_times
from app.schedules.intervals import Interval
from app.schedules.minute_sets import minute_sets
from app.schedules.single_times import SingleTimes

# A year and a month: every clock change that comes around, and every day of a year.
_AHEAD = timedelta(days=400)
_SHOWN = 5


@dataclass(frozen=True)
class Coming:
    """What a rhythm does after `now`, looked at no further than a comparison needs."""

    when: Rhythm
    now: datetime

    @cached_property
    def next_five(self) -> list[datetime]:
        return fire_times(self.when, after=self.now, limit=_SHOWN)

    @cached_property
    def number(self) -> int:
        """How often it fires in 400 days: counted, so that a dense one costs no more than a rare one."""
        return count_fires(self.when, after=self.now, until=self.now + _AHEAD)

    @cached_property
    def times(self) -> dict[int, int]:
        """All of these, as bits."""
        return minute_sets(self.when, after=self.now, until=self.now + _AHEAD)

    def from_then(self, at: datetime) -> list[datetime]:
        return fire_times(self.when, after=at - MOMENT, limit=_SHOWN)

    @cached_property
    def meaning(self) -> tuple[object, ...]:
        """Equal only for rhythms that fire at the same instants: what spares the comparison."""
        when, times = self.when, self.when.cron
        if isinstance(times, Interval | SingleTimes):
            return when.zone, when.clock_change, when.starts_at, when.ends_at, times.canonical
        lines = frozenset(_line_meaning(line, when.clock_change) for line in times.lines)
        return when.zone, when.starts_at, when.ends_at, lines


def are_alike(one: Coming, other: Coming) -> bool:
    """Whether both fire, and may do so at the same times: what a first look tells, and it costs little."""
    if not one.next_five or one.next_five != other.next_five:
        return False
    return one.meaning == other.meaning or one.number == other.number


def are_same(one: Coming, other: Coming) -> bool:
    """Whether both fire, and at the same times.

    Two that are written alike are the same for ever. Others are when all their times of 400 days are, and what follows
    then and at their ends: what people write does not differ elsewhere alone.
    """
    if not are_alike(one, other):
        return False
    if one.meaning == other.meaning:
        return True
    if one.times != other.times:
        return False
    ends = [at for at in (one.when.ends_at, other.when.ends_at) if at is not None and at > one.now]
    return all(one.from_then(at) == other.from_then(at) for at in (one.now + _AHEAD, *ends))


def _line_meaning(line: CronExpression, rule: ClockChange) -> tuple[object, ...]:
    return rule if line.is_fixed else None, line.seconds, line.minutes, line.hours, line.months, line.table.masks
