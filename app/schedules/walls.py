"""Which wall times a rhythm names, each kind behind the same three questions. How they become instants is on_clocks.py.

Wall times are counted from 0001-01-01 in minutes, or in seconds where a cron line has them: `unit` says in which.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple, Protocol

from app.schedules.clock_changes import FIRST_YEAR, LAST_YEAR
from app.schedules.cron import CronExpression
from app.schedules.month_days import DayTable
from app.schedules.wall_times import Named, count_wall_minutes, first_wall_minute, last_wall_minute

A_MINUTE, A_SECOND = 60, 1


class Walls(Protocol):
    """Wall times that are named."""

    @property
    def unit(self) -> int:
        """The seconds in one step of counting."""
        ...

    @property
    def years(self) -> tuple[int, int]:
        """The years of the first and of the last of them."""
        ...

    def first(self, start: int, stop: int) -> int | None:
        """The first one in [start, stop)."""
        ...

    def last(self, start: int, stop: int) -> int | None:
        """The last one in [start, stop)."""
        ...

    def count(self, start: int, stop: int) -> int:
        """How many lie in [start, stop)."""
        ...


class Common(NamedTuple):
    """The times that several cron lines name together."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    table: DayTable


@dataclass(frozen=True)
class CronWalls:
    """What one cron line names, in minutes."""

    line: CronExpression
    unit = A_MINUTE
    years = (FIRST_YEAR, LAST_YEAR)

    def first(self, start: int, stop: int) -> int | None:
        return first_wall_minute(self.line, start, stop)

    def last(self, start: int, stop: int) -> int | None:
        return last_wall_minute(self.line, start, stop)

    def count(self, start: int, stop: int) -> int:
        return count_wall_minutes(self.line, start, stop)


@dataclass(frozen=True)
class SecondWalls:
    """What one cron line names, in seconds."""

    line: CronExpression | Common
    unit = A_SECOND
    years = (FIRST_YEAR, LAST_YEAR)

    def first(self, start: int, stop: int) -> int | None:
        minute, second = divmod(start, A_MINUTE)
        seconds = self.line.seconds
        if second:
            place = bisect_left(seconds, second)
            if place < len(seconds) and _is_named(self.line, minute):
                return _before(minute * A_MINUTE + seconds[place], stop)
            minute += 1
        found = first_wall_minute(self.line, minute, -(-stop // A_MINUTE))
        return None if found is None else _before(found * A_MINUTE + seconds[0], stop)

    def last(self, start: int, stop: int) -> int | None:
        minute, second = divmod(stop, A_MINUTE)
        seconds = self.line.seconds
        place = bisect_left(seconds, second)
        if place and _is_named(self.line, minute):
            return _from(minute * A_MINUTE + seconds[place - 1], start)
        found = last_wall_minute(self.line, start // A_MINUTE, minute)
        return None if found is None else _from(found * A_MINUTE + seconds[-1], start)

    def count(self, start: int, stop: int) -> int:
        if start >= stop:
            return 0
        seconds = self.line.seconds
        (first, after), (last, before) = divmod(start, A_MINUTE), divmod(stop, A_MINUTE)
        total = count_wall_minutes(self.line, first, last) * len(seconds)
        total -= bisect_left(seconds, after) if after and _is_named(self.line, first) else 0
        total += bisect_left(seconds, before) if before and _is_named(self.line, last) else 0
        return total


@dataclass(frozen=True)
class LineWalls:
    """What several cron lines name between them, each time once.

    They are counted by inclusion and exclusion: what lines name together is again minutes at hours on days.
    """

    parts: tuple[CronWalls | SecondWalls, ...]
    terms: tuple[tuple[int, Common], ...]
    unit: int
    years = (FIRST_YEAR, LAST_YEAR)

    def first(self, start: int, stop: int) -> int | None:
        found = [at for part in self.parts if (at := part.first(start, stop)) is not None]
        return min(found, default=None)

    def last(self, start: int, stop: int) -> int | None:
        found = [at for part in self.parts if (at := part.last(start, stop)) is not None]
        return max(found, default=None)

    def count(self, start: int, stop: int) -> int:
        if self.unit == A_SECOND:
            return sum(sign * SecondWalls(term).count(start, stop) for sign, term in self.terms)
        return sum(sign * count_wall_minutes(term, start, stop) for sign, term in self.terms)


@lru_cache(maxsize=1024)
def walls_of(lines: tuple[CronExpression, ...], unit: int) -> CronWalls | SecondWalls | LineWalls:
    """What these cron lines name, counted in this unit."""
    parts = tuple(CronWalls(line) if unit == A_MINUTE else SecondWalls(line) for line in lines)
    return parts[0] if len(parts) == 1 else LineWalls(parts, tuple(_terms(lines)), unit)


def in_common(lines: Sequence[CronExpression]) -> Common | None:
    """The times that all of them name; None where there are none."""
    months = _shared([line.months for line in lines])
    masks = [line.table.masks for line in lines]
    days = DayTable(tuple(_all_bits(of_shape) for of_shape in zip(*masks, strict=True)))
    found = Common(
        _shared([line.seconds for line in lines]),
        _shared([line.minutes for line in lines]),
        _shared([line.hours for line in lines]),
        months,
        days,
    )
    return found if all(found[:4]) and any(days.masks) else None


def _terms(lines: Sequence[CronExpression]) -> list[tuple[int, Common]]:
    found = []
    for size in range(1, len(lines) + 1):
        for chosen in combinations(lines, size):
            common = in_common(chosen)
            if common is not None:
                found.append((1 if size % 2 else -1, common))
    return found


def _shared(values: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sorted(set(values[0]).intersection(*values[1:])))


def _all_bits(masks: Sequence[int]) -> int:
    found = masks[0]
    for mask in masks[1:]:
        found &= mask
    return found


def _is_named(line: Named, minute: int) -> bool:
    return first_wall_minute(line, minute, minute + 1) is not None


def _before(wall: int, stop: int) -> int | None:
    return wall if wall < stop else None


def _from(wall: int, start: int) -> int | None:
    return wall if wall >= start else None
