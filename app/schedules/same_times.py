"""Whether two rhythms fire at the same instants from now on, however they are written. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from app.schedules.cron import CronExpression
from app.schedules.fire_times import MOMENT, ClockChange, Rhythm, count_fires, fire_times
from app.schedules.intervals import Interval
from app.schedules.single_times import SingleTimes

_AHEAD = timedelta(days=400)
_WEEK = timedelta(days=7)
_WEEKS = _AHEAD // _WEEK + 1
# What differs for months is met after a few of these: by eights, by fours, by twos, and then what is left.
_COUNTED = tuple(sorted(range(1, _WEEKS), key=lambda weeks: -(weeks & -weeks)))
_SHOWN, _FIRST = 5, 100


@dataclass(frozen=True)
class Coming:
    """What a rhythm does after `now`, looked at no further than a comparison needs."""

    when: Rhythm
    now: datetime

    @cached_property
    def next_five(self) -> list[datetime]:
        return fire_times(self.when, after=self.now, limit=_SHOWN)

    @cached_property
    def first_hundred(self) -> list[datetime]:
        return fire_times(self.when, after=self.now, limit=_FIRST)

    def count(self, weeks: int) -> int:
        """How often it fires in so many weeks: counted, so that a dense one costs no more than a rare one."""
        if weeks not in self._counted:
            self._counted[weeks] = count_fires(self.when, after=self.now, until=self.now + weeks * _WEEK)
        return self._counted[weeks]

    @cached_property
    def _counted(self) -> dict[int, int]:
        return {}

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
    return one.meaning == other.meaning or one.count(_WEEKS) == other.count(_WEEKS)


def are_same(one: Coming, other: Coming) -> bool:
    """Whether both fire, and at the same times.

    Two that are written alike are the same for ever. Others are when their next hundred times are, and their number in
    every week of 400 days, and what follows then and at their ends: what people write does not differ elsewhere alone.
    """
    if not are_alike(one, other):
        return False
    if one.meaning == other.meaning:
        return True
    if any(one.count(weeks) != other.count(weeks) for weeks in _COUNTED) or one.first_hundred != other.first_hundred:
        return False
    ends = [at for at in (one.when.ends_at, other.when.ends_at) if at is not None and at > one.now]
    return all(one.from_then(at) == other.from_then(at) for at in (one.now + _AHEAD, *ends))


def _line_meaning(line: CronExpression, rule: ClockChange) -> tuple[object, ...]:
    return rule if line.is_fixed else None, line.seconds, line.minutes, line.hours, line.months, line.table.masks
