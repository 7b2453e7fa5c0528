"""On which days of a month a cron line falls. A month is fully described by its length and its first weekday.

There are 28 such shapes, so a rule is worked out once for each and then only looked up. Clock times are elsewhere.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

_SHORTEST = 28
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LAST = 6  # the "nth" of a weekday that means its last one in the month


@dataclass(frozen=True)
class DayRule:
    """The day and the weekday field, expanded. Weekdays count from Sunday = 0, as cron does."""

    days: frozenset[int]
    is_last_day: bool
    nearest_weekday_to: int | None
    weekdays: frozenset[int]
    nth_weekdays: frozenset[tuple[int, int]]
    # Debian cron: a field that begins with * narrows the other one, two plain fields add up.
    joins_with_or: bool


@dataclass(frozen=True)
class DayTable:
    """The days of every shape of month, as bit masks: bit 0 is the first of the month."""

    masks: tuple[int, ...]

    def in_shape(self, length: int, first_weekday: int) -> int:
        """The days in a month of that length whose first day is that weekday."""
        return self.masks[(length - _SHORTEST) * 7 + first_weekday]


@lru_cache(maxsize=4096)
def make_table(rule: DayRule) -> DayTable:
    """Work a rule out for every shape of month."""
    return DayTable(tuple(_mask(rule, length, first) for length in range(_SHORTEST, 32) for first in range(7)))


@lru_cache(maxsize=4096)
def month_shape(year: int, month: int) -> tuple[int, int]:
    """The number of the month's first day (0001-01-01 is 0) and its place among the masks."""
    first_weekday, length = calendar.monthrange(year, month)
    return date(year, month, 1).toordinal() - 1, (length - _SHORTEST) * 7 + (first_weekday + 1) % 7


def shapes_of_month(month: int) -> Iterator[tuple[int, int]]:
    """Every length and first weekday that the month takes in some year."""
    lengths = (28, 29) if month == 2 else (LONGEST[month - 1],)
    return ((length, first) for length in lengths for first in range(7))


def _mask(rule: DayRule, length: int, first_weekday: int) -> int:
    by_day = _bits(day for day in rule.days if day <= length)
    if rule.is_last_day:
        by_day |= 1 << (length - 1)
    if rule.nearest_weekday_to:
        by_day |= 1 << (_nearest_weekday(min(rule.nearest_weekday_to, length), length, first_weekday) - 1)
    by_weekday = _bits(day for day in range(1, length + 1) if (first_weekday + day - 1) % 7 in rule.weekdays)
    for weekday, nth in rule.nth_weekdays:
        first = 1 + (weekday - first_weekday) % 7
        day = first + 7 * ((length - first) // 7) if nth == LAST else first + 7 * (nth - 1)
        by_weekday |= 1 << (day - 1) if day <= length else 0
    return by_day | by_weekday if rule.joins_with_or else by_day & by_weekday


def _nearest_weekday(day: int, length: int, first_weekday: int) -> int:
    """The nearest day from Monday to Friday, without leaving the month. 31W is near the 30th where that is the last."""
    weekday = (first_weekday + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day


def _bits(days: Iterator[int]) -> int:
    return sum(1 << (day - 1) for day in days)
