"""The rhythms of one time zone, laid out so that those of an hour are found without looking at all of them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from app.schedules.day_minutes import in_hour_from
from app.schedules.fire_times import MOMENT, Rhythm, fire_times
from app.schedules.rhythm_rows import stored_rhythm
from app.schedules.zones import Zone

HOUR = timedelta(hours=1)
_MINUTES, _HOURS = 60, 24
_DAY = _MINUTES * _HOURS
# The bits of sixty minutes.
_AN_HOUR = (1 << _MINUTES) - 1
# One each second, which is more than any rhythm has.
_MOST_IN_HOUR = 3_600
# As long as a change of the clocks can move a slot, see clock_changes.py.
_LONGEST_MOVE = timedelta(hours=3)


@dataclass(frozen=True)
class Group:
    """Schedules with one rhythm: how many, and the minutes of the day at which they ever fire.

    Where every day is the same, these minutes alone say when it fires.
    """

    says: RowMapping
    count: int
    minutes: int
    is_daily: bool

    def rhythm(self) -> Rhythm:
        return stored_rhythm(self.says)


@dataclass(frozen=True)
class ZoneLoad:
    """All groups; how many fire every day at each of its minutes; and the others that may fire in each of its hours."""

    zone: Zone
    groups: Sequence[Group]
    daily: Sequence[int]
    others: Sequence[Sequence[Group]]

    def count_hour(self, start: datetime) -> list[int]:
        """How many start in each of the sixty minutes from `start`, a whole minute, on."""
        if self._is_shifted(start):
            return _counted(self.groups, start)
        wall = start.astimezone(self.zone.tzinfo)
        first = wall.hour * _MINUTES + wall.minute
        counts = _counted(self._others_from(first), start)
        return [count + self.daily[(first + minute) % _DAY] for minute, count in enumerate(counts)]

    def _is_shifted(self, start: datetime) -> bool:
        """Whether the clocks change nearby: then a slot need not lie at the minute that its text names."""
        before, after = ((start + by).astimezone(self.zone.tzinfo) for by in (-_LONGEST_MOVE, HOUR))
        return before.utcoffset() != after.utcoffset()

    def _others_from(self, first: int) -> Iterator[Group]:
        hour, minute = divmod(first, _MINUTES)
        # An hour of another zone may begin in one of ours and end in the next.
        hours = (hour, (hour + 1) % _HOURS) if minute else (hour,)
        near = {id(group): group for each in hours for group in self.others[each]}
        return (group for group in near.values() if in_hour_from(group.minutes, first))


def zone_load(zone: Zone, groups: Sequence[Group]) -> ZoneLoad:
    """Lay them out."""
    daily = [0] * _DAY
    others: list[list[Group]] = [[] for _ in range(_HOURS)]
    for group in groups:
        if group.is_daily:
            for minute in _named(group.minutes):
                daily[minute] += group.count
            continue
        for hour, there in enumerate(others):
            if group.minutes >> hour * _MINUTES & _AN_HOUR:
                there.append(group)
    return ZoneLoad(zone, groups, daily, others)


def starts_in_hour(when: Rhythm, start: datetime) -> set[int]:
    """The minutes from `start` on, 0 to 59, in which a rhythm fires."""
    found = fire_times(when, after=start - MOMENT, until=start + HOUR - MOMENT, limit=_MOST_IN_HOUR)
    return {(at - start) // timedelta(minutes=1) for at in found}


def _counted(groups: Iterable[Group], start: datetime) -> list[int]:
    counts = [0] * _MINUTES
    for group in groups:
        for minute in starts_in_hour(group.rhythm(), start):
            counts[minute] += group.count
    return counts


def _named(minutes: int) -> Iterator[int]:
    while minutes:
        lowest = minutes & -minutes
        yield lowest.bit_length() - 1
        minutes ^= lowest
