"""When a rhythm fires: the one answer for planner, preview, calendar, command line and API. No clock is read here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.schedules.clock_changes import (
    FIRST_YEAR,
    LAST_YEAR,
    ClockChange,
    Span,
    spans_of_year,
    to_instant,
    to_minute,
    year_bounds,
)
from app.schedules.cron import CronExpression, parse_cron
from app.schedules.wall_times import count_wall_minutes, first_wall_minute, last_wall_minute
from app.schedules.zones import Zone, find_zone

__all__ = ["MOMENT", "ClockChange", "Rhythm", "count_fires", "fire_times", "last_fire", "next_fire", "rhythm"]

# The rarest date there is, 29 February on a given weekday, stays away for 40 years around 2100.
_LONGEST_WAIT_YEARS = 60
# Slots are whole minutes; a moment before one is enough to find it with "strictly after".
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Rhythm:
    """A cron expression on the clocks of a zone."""

    cron: CronExpression
    zone: Zone
    clock_change: ClockChange = ClockChange.ONCE

    @property
    def rule(self) -> ClockChange | None:
        """What to do when the clocks change; None for a wildcard schedule, which runs by elapsed time."""
        return self.clock_change if self.cron.is_fixed else None


def rhythm(
    cron_text: str, *, timezone: str, spread_key: str = "", clock_change: ClockChange = ClockChange.ONCE
) -> Rhythm:
    """Read a rhythm as it is stored. Raises CronInvalid or UnknownZone."""
    return Rhythm(parse_cron(cron_text, spread_key=spread_key), find_zone(timezone), clock_change)


def fire_times(rhythm: Rhythm, *, after: datetime, limit: int, until: datetime | None = None) -> list[datetime]:
    """The first `limit` instants after `after` and not after `until`, in UTC."""
    found: list[datetime] = []
    start = to_minute(after) + 1
    stop = None if until is None else to_minute(until) + 1
    given_up = _year_of(start) + _LONGEST_WAIT_YEARS
    for year in range(_year_of(start), LAST_YEAR + 1):
        if len(found) >= limit or year > given_up or (stop is not None and year_bounds(year)[0] >= stop):
            break
        year_stop = year_bounds(year)[1] if stop is None else min(stop, year_bounds(year)[1])
        for minute in _minutes(rhythm, year, start, year_stop):
            found.append(to_instant(minute))
            given_up = year + _LONGEST_WAIT_YEARS
            if len(found) >= limit:
                break
    return found


def next_fire(rhythm: Rhythm, *, after: datetime) -> datetime | None:
    """The first instant after `after`, or None when it never comes."""
    found = fire_times(rhythm, after=after, limit=1)
    return found[0] if found else None


def last_fire(rhythm: Rhythm, *, after: datetime, until: datetime) -> datetime | None:
    """The latest instant after `after` and not after `until`."""
    start, stop = to_minute(after) + 1, to_minute(until) + 1
    for year in range(_year_of(stop - 1), _year_of(start) - 1, -1):
        for span in reversed(spans_of_year(rhythm.zone, year, rhythm.rule)):
            wall_from, wall_to = _cut(span, start, stop)
            found = last_wall_minute(rhythm.cron, wall_from, wall_to) if wall_from < wall_to else None
            if found is not None:
                return to_instant(_instant(span, found))
    return None


def count_fires(rhythm: Rhythm, *, after: datetime, until: datetime) -> int:
    """How many instants lie after `after` and not after `until`."""
    start, stop = to_minute(after) + 1, to_minute(until) + 1
    years = range(_year_of(start), _year_of(stop - 1) + 1)
    spans = (span for year in years for span in spans_of_year(rhythm.zone, year, rhythm.rule))
    return sum(_count_in(rhythm, span, *_cut(span, start, stop)) for span in spans)


def _minutes(rhythm: Rhythm, year: int, start: int, stop: int) -> Iterator[int]:
    """The minutes of a year in [start, stop) at which it fires, in order."""
    for span in spans_of_year(rhythm.zone, year, rhythm.rule):
        wall, wall_to = _cut(span, start, stop)
        while wall < wall_to:
            found = first_wall_minute(rhythm.cron, wall, wall_to)
            if found is None:
                break
            yield _instant(span, found)
            wall = found + 1 if span.gathered_at is None else wall_to


def _cut(span: Span, start: int, stop: int) -> tuple[int, int]:
    """The wall minutes of a span whose instants lie in [start, stop)."""
    if span.gathered_at is not None:
        return (span.wall_from, span.wall_to) if start <= span.gathered_at < stop else (0, 0)
    return max(span.wall_from, start + span.offset), min(span.wall_to, stop + span.offset)


def _instant(span: Span, wall: int) -> int:
    return wall - span.offset if span.gathered_at is None else span.gathered_at


def _count_in(rhythm: Rhythm, span: Span, wall_from: int, wall_to: int) -> int:
    named = count_wall_minutes(rhythm.cron, wall_from, wall_to)
    return named if span.gathered_at is None else min(named, 1)


def _year_of(minute: int) -> int:
    return min(max(to_instant(max(minute, 0)).year, FIRST_YEAR), LAST_YEAR)
