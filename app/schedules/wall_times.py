"""Which wall minutes a cron expression names, on a clock that never changes. Minutes are counted from 0001-01-01.

Everything is looked up in sorted tuples and bit masks: nothing mutable is shared between threads.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date
from typing import Protocol

from app.schedules.month_days import DayTable, month_shape

_DAY_MINUTES = 1440


class Named(Protocol):
    """Minutes of the hour at hours of the day on days of months: what a cron line names, or several have in common."""

    @property
    def minutes(self) -> tuple[int, ...]: ...
    @property
    def hours(self) -> tuple[int, ...]: ...
    @property
    def months(self) -> tuple[int, ...]: ...
    @property
    def table(self) -> DayTable: ...


def first_wall_minute(cron: Named, start: int, stop: int) -> int | None:
    """The first named minute in [start, stop)."""
    day, minute = divmod(start, _DAY_MINUTES)
    if minute:
        time = _time_at_or_after(cron, minute) if _is_on(cron, day) else None
        if time is not None:
            return _before(day * _DAY_MINUTES + time, stop)
        day += 1
    for found in _days(cron, day, -(-stop // _DAY_MINUTES)):
        return _before(found * _DAY_MINUTES + cron.hours[0] * 60 + cron.minutes[0], stop)
    return None


def last_wall_minute(cron: Named, start: int, stop: int) -> int | None:
    """The last named minute in [start, stop)."""
    day, minute = divmod(stop, _DAY_MINUTES)
    if minute and _is_on(cron, day):
        before = _times_before(cron, minute)
        if before:
            hour, place = divmod(before - 1, len(cron.minutes))
            return _from(day * _DAY_MINUTES + cron.hours[hour] * 60 + cron.minutes[place], start)
    last_time = cron.hours[-1] * 60 + cron.minutes[-1] if cron.hours else 0
    found = _last_day(cron, start // _DAY_MINUTES, day)
    return None if found is None else _from(found * _DAY_MINUTES + last_time, start)


def count_wall_minutes(cron: Named, start: int, stop: int) -> int:
    """How many minutes in [start, stop) are named."""
    if start >= stop:
        return 0
    first_day, first_minute = divmod(start, _DAY_MINUTES)
    last_day, last_minute = divmod(stop, _DAY_MINUTES)
    total = _count_days(cron, first_day, last_day) * len(cron.hours) * len(cron.minutes)
    if first_minute and _is_on(cron, first_day):
        total -= _times_before(cron, first_minute)
    if last_minute and _is_on(cron, last_day):
        total += _times_before(cron, last_minute)
    return total


def named_days(cron: Named, start: int, stop: int) -> int:
    """The named days in [start, stop) as bits, the first one lowest. Days are counted from 0001-01-01."""
    found = 0
    for first, mask in _masks(cron, start, stop):
        found |= mask << first - start if first >= start else mask >> start - first
    return found


def _before(minute: int, stop: int) -> int | None:
    return minute if minute < stop else None


def _from(minute: int, start: int) -> int | None:
    return minute if minute >= start else None


def _time_at_or_after(cron: Named, minute_of_day: int) -> int | None:
    hour, minute = divmod(minute_of_day, 60)
    place = bisect_left(cron.hours, hour)
    if place < len(cron.hours) and cron.hours[place] == hour:
        found = bisect_left(cron.minutes, minute)
        if found < len(cron.minutes):
            return hour * 60 + cron.minutes[found]
        place += 1
    return cron.hours[place] * 60 + cron.minutes[0] if place < len(cron.hours) else None


def _times_before(cron: Named, minute_of_day: int) -> int:
    hour, minute = divmod(minute_of_day, 60)
    place = bisect_left(cron.hours, hour)
    total = place * len(cron.minutes)
    if place < len(cron.hours) and cron.hours[place] == hour:
        total += bisect_left(cron.minutes, minute)
    return total


def _is_on(cron: Named, day: int) -> bool:
    at = date.fromordinal(day + 1)
    if at.month not in cron.months:
        return False
    first, shape = month_shape(at.year, at.month)
    return bool(cron.table.masks[shape] >> (day - first) & 1)


def _masks(cron: Named, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """For each month that has named days in [start, stop): the number of its first day, and those days as a mask."""
    if start >= stop or not cron.months:
        return
    at = date.fromordinal(start + 1)
    year, place = at.year, bisect_left(cron.months, at.month)
    while True:
        if place == len(cron.months):
            year, place = year + 1, 0
        first, shape = month_shape(year, cron.months[place])
        if first >= stop:
            return
        mask = cron.table.masks[shape]
        if first < start:
            mask = mask >> (start - first) << (start - first)
        if first + 31 > stop:
            mask &= (1 << (stop - first)) - 1
        if mask:
            yield first, mask
        place += 1


def _days(cron: Named, start: int, stop: int) -> Iterator[int]:
    for first, mask in _masks(cron, start, stop):
        rest = mask
        while rest:
            lowest = rest & -rest
            yield first + lowest.bit_length() - 1
            rest ^= lowest


def _last_day(cron: Named, start: int, stop: int) -> int | None:
    # Backwards month by month would need a second walk; the spans asked about are a year at most.
    last = None
    for first, mask in _masks(cron, start, stop):
        last = first + mask.bit_length() - 1
    return last


def _count_days(cron: Named, start: int, stop: int) -> int:
    return sum(mask.bit_count() for _, mask in _masks(cron, start, stop))
