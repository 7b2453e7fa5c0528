"""From wall times to instants, on the clocks of a zone: the answers of one part of a rhythm. No clock is read here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from app.schedules.clock_changes import (
    FIRST_YEAR,
    LAST_YEAR,
    ORIGIN,
    ClockChange,
    Span,
    spans_of_year,
    to_instant,
    year_bounds,
)
from app.schedules.walls import A_MINUTE, Walls
from app.schedules.zones import Zone

# The rarest date there is, 29 February on a given weekday, stays away for 40 years around 2100.
_LONGEST_WAIT_YEARS = 60
# Further than any clock is from UTC, in seconds.
_FARTHEST = 2 * 86_400


class Part(Protocol):
    """A set of instants. `after` itself never counts, `until` does."""

    def fires(self, after: datetime, until: datetime | None, limit: int) -> list[datetime]:
        """The first ones, in UTC."""
        ...

    def last(self, after: datetime, until: datetime) -> datetime | None:
        """The latest one."""
        ...

    def count(self, after: datetime, until: datetime) -> int:
        """How many there are."""
        ...


@dataclass(frozen=True)
class OnClocks:
    """Wall times in a zone. Without a rule they run by elapsed time when the clocks change."""

    walls: Walls
    zone: Zone
    rule: ClockChange | None

    def fires(self, after: datetime, until: datetime | None, limit: int) -> list[datetime]:
        found: list[datetime] = []
        first_year, last_year = self.walls.years
        start = self._step_of(after) + 1
        stop = None if until is None else self._step_of(until) + 1
        # An instant may lie in another year than its wall time.
        begin = max(self._year_of(start), first_year - 1)
        given_up = begin + _LONGEST_WAIT_YEARS
        for year in range(begin, min(LAST_YEAR, last_year + 1) + 1):
            year_start, year_stop = self._bounds_of(year)
            if len(found) >= limit or year > given_up or (stop is not None and year_start >= stop):
                break
            # To see that nothing is named there is cheap; a year of a zone that nobody asked about yet is not.
            if year > begin and not self._names_any(year_start, year_stop):
                continue
            for step in self._steps(year, start, year_stop if stop is None else min(stop, year_stop)):
                found.append(self._instant_of(step))
                given_up = year + _LONGEST_WAIT_YEARS
                if len(found) >= limit:
                    break
        return found

    def last(self, after: datetime, until: datetime) -> datetime | None:
        start, stop = self._step_of(after) + 1, self._step_of(until) + 1
        for year in reversed(self._years(start, stop)):
            for span in reversed(self._spans(year)):
                wall_from, wall_to = cut(span, start, stop)
                found = self.walls.last(wall_from, wall_to) if wall_from < wall_to else None
                if found is not None:
                    return self._instant_of(_at(span, found))
        return None

    def count(self, after: datetime, until: datetime) -> int:
        return sum(self._count_in(span, *cut(span, *ends)) for span, ends in self.pieces(after, until))

    def pieces(self, after: datetime, until: datetime) -> Iterator[tuple[Span, tuple[int, int]]]:
        """The spans from one instant to the other, and both ends in steps."""
        start, stop = self._step_of(after) + 1, self._step_of(until) + 1
        for year in self._years(start, stop):
            for span in self._spans(year):
                yield span, (start, stop)

    def _names_any(self, start: int, stop: int) -> bool:
        """Whether a wall time may lie in [start, stop), wherever its clocks are."""
        farthest = _FARTHEST // self.walls.unit
        return self.walls.first(start - farthest, stop + farthest) is not None

    def _steps(self, year: int, start: int, stop: int) -> Iterator[int]:
        """The steps of a year in [start, stop) at which it fires, in order."""
        for span in self._spans(year):
            wall, wall_to = cut(span, start, stop)
            while wall < wall_to:
                found = self.walls.first(wall, wall_to)
                if found is None:
                    break
                yield _at(span, found)
                wall = found + 1 if span.gathered_at is None else wall_to

    def _count_in(self, span: Span, wall_from: int, wall_to: int) -> int:
        named = self.walls.count(wall_from, wall_to) if wall_from < wall_to else 0
        return named if span.gathered_at is None else min(named, 1)

    def _spans(self, year: int) -> tuple[Span, ...]:
        if self.walls.unit == A_MINUTE:
            return spans_of_year(self.zone, year, self.rule)
        return _spans_in_seconds(self.zone, year, self.rule)

    def _years(self, start: int, stop: int) -> range:
        first_year, last_year = self.walls.years
        begin, end = max(self._year_of(start), first_year - 1), min(self._year_of(stop - 1), last_year + 1)
        return range(begin, end + 1)

    def _year_of(self, step: int) -> int:
        return min(max(self._instant_of(max(step, 0)).year, FIRST_YEAR), LAST_YEAR)

    def _bounds_of(self, year: int) -> tuple[int, int]:
        start, stop = year_bounds(year)
        steps = A_MINUTE // self.walls.unit
        return start * steps, stop * steps

    def _step_of(self, at: datetime) -> int:
        return (at - ORIGIN) // timedelta(seconds=self.walls.unit)

    def _instant_of(self, step: int) -> datetime:
        return ORIGIN + step * timedelta(seconds=self.walls.unit)


@dataclass(frozen=True)
class Elapsed:
    """Every so many minutes from an instant on, whatever the clocks do."""

    anchor: datetime
    step: timedelta

    def fires(self, after: datetime, until: datetime | None, limit: int) -> list[datetime]:
        begin, end = self._before(after), self._before(_END if until is None else min(until, _END))
        return [self.anchor + place * self.step for place in range(begin, min(end, begin + limit))]

    def last(self, after: datetime, until: datetime) -> datetime | None:
        places = self._before(after), self._before(min(until, _END))
        return self.anchor + (places[1] - 1) * self.step if places[0] < places[1] else None

    def count(self, after: datetime, until: datetime) -> int:
        return max(self._before(min(until, _END)) - self._before(after), 0)

    def _before(self, at: datetime) -> int:
        """How many lie at or before an instant, which is also the place of the next one."""
        return max((at - self.anchor) // self.step + 1, 0)


# As far as zones can be asked.
_END = to_instant(year_bounds(LAST_YEAR)[1])


def count_common(fixed: OnClocks, wild: OnClocks, together: Walls, after: datetime, until: datetime) -> int:
    """How many instants two parts of one rhythm share. `together` names what either of their walls does.

    Between clock changes both read the same clock, so there the wall times decide.
    """
    total = 0
    for span, ends in fixed.pieces(after, until):
        wall_from, wall_to = cut(span, *ends)
        if wall_from >= wall_to:
            continue
        named = fixed.walls.count(wall_from, wall_to)
        if span.gathered_at is None:
            total += named + wild.walls.count(wall_from, wall_to) - together.count(wall_from, wall_to)
        elif named:
            shown = span.gathered_at + span.offset
            total += wild.walls.count(shown, shown + 1)
    return total


def first_showing(zone: Zone, wall: int) -> datetime:
    """The first instant at which a zone's clocks show this minute or, having jumped over it, a later one."""
    year = to_instant(wall).year
    for each in (year - 1, year, year + 1):
        for span in spans_of_year(zone, each, None):
            if span.wall_to > wall:
                return to_instant(max(span.wall_from, wall) - span.offset)
    raise AssertionError("the years around a wall time show it")


def cut(span: Span, start: int, stop: int) -> tuple[int, int]:
    """The wall times of a span whose instants lie in [start, stop)."""
    if span.gathered_at is not None:
        return (span.wall_from, span.wall_to) if start <= span.gathered_at < stop else (0, 0)
    return max(span.wall_from, start + span.offset), min(span.wall_to, stop + span.offset)


def _at(span: Span, wall: int) -> int:
    return wall - span.offset if span.gathered_at is None else span.gathered_at


@lru_cache(maxsize=1024)
def _spans_in_seconds(zone: Zone, year: int, rule: ClockChange | None) -> tuple[Span, ...]:
    return tuple(each for span in spans_of_year(zone, year, rule) for each in _in_seconds(span))


def _in_seconds(span: Span) -> tuple[Span, ...]:
    wall_from, wall_to, offset = span.wall_from * A_MINUTE, span.wall_to * A_MINUTE, span.offset * A_MINUTE
    if span.gathered_at is None:
        return (Span(wall_from, wall_to, offset),)
    # Its last minute is the first one after the gap. Of that, the first second runs together with what was jumped over,
    # and the others have their own turn.
    together = wall_to - A_MINUTE + 1
    return Span(wall_from, together, offset, span.gathered_at * A_MINUTE), Span(together, wall_to, offset)
