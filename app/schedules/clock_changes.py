"""When a zone's clocks change, and what that does to wall times. Minutes are counted from 0001-01-01."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.schedules.zones import Zone

ORIGIN = datetime(1, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY_MINUTES = 1440
# Debian cron takes a longer jump for a clock that was set, and forgets what lies between.
LONGEST_JUMP = 180
# Zones cannot be asked about the very first and the very last hours that a date can express.
FIRST_YEAR, LAST_YEAR = 2, 9998


class ClockChange(StrEnum):
    """What a fixed-time schedule does when the clocks change."""

    ONCE = "once"  # a time that does not exist runs right after the gap, a repeated time runs the first time only
    SKIP = "skip"  # a time that does not exist does not run, a repeated time runs the first time only
    TWICE = "twice"  # a time that does not exist runs right after the gap, a repeated time runs both times


@dataclass(frozen=True)
class OffsetChange:
    """The minute at which a zone's distance from UTC changes."""

    at: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of wall minutes [wall_from, wall_to) and how they become instants.

    Either each runs at its own instant, wall minute − offset, or all of them run together at `gathered_at`.
    """

    wall_from: int
    wall_to: int
    offset: int
    gathered_at: int | None = None

    def is_from(self, start: int) -> bool:
        """Whether it lies at or after an instant. Only gathered spans can lie before the year they were found for."""
        return self.gathered_at is None or self.gathered_at >= start


def to_minute(at: datetime) -> int:
    """The whole minute that the instant lies in."""
    return (at - ORIGIN) // MINUTE


def to_instant(minute: int) -> datetime:
    """The instant at which the minute begins."""
    return ORIGIN + minute * MINUTE


def offset_at(tzinfo: ZoneInfo, minute: int) -> int:
    """Minutes that the wall clock is ahead of UTC. The odd seconds of the years before 1972 are left out."""
    offset = to_instant(minute).astimezone(tzinfo).utcoffset()
    assert offset is not None
    return offset // MINUTE


def offset_changes(tzinfo: ZoneInfo, start: int, stop: int) -> list[OffsetChange]:
    """The changes in (start, stop], found by looking once a day and halving."""
    found = []
    low, before = start, offset_at(tzinfo, start)
    while low < stop:
        high = min(low + DAY_MINUTES, stop)
        if offset_at(tzinfo, high) != before:
            known = low
            while high - known > 1:
                middle = (known + high) // 2
                if offset_at(tzinfo, middle) == before:
                    known = middle
                else:
                    high = middle
            after = offset_at(tzinfo, high)
            found.append(OffsetChange(high, before, after))
            before = after
        low = high
    return found


@lru_cache(maxsize=4096)
def changes_of_year(zone: Zone, year: int) -> tuple[OffsetChange, ...]:
    """The changes of a UTC year and of the two days before it, whose repeated times may reach into it."""
    start, stop = year_bounds(year)
    return tuple(offset_changes(zone.tzinfo, start - 2 * DAY_MINUTES, stop - 1))


@lru_cache(maxsize=8192)
def spans_of_year(zone: Zone, year: int, rule: ClockChange | None) -> tuple[Span, ...]:
    """A UTC year as spans in the order of time. Without a rule every wall minute counts as often as it is shown.

    With one, this is the main loop of Debian cron: time that was jumped over is caught up with at once, time that comes
    again is waited for.
    """
    start, stop = year_bounds(year)
    changes = changes_of_year(zone, year)
    begin = start - 2 * DAY_MINUTES
    offset = changes[0].before if changes else offset_at(zone.tzinfo, start)
    reached = begin + offset  # the wall minute up to which fixed times have had their turn
    spans = []
    for change in changes:
        spans.append(_span(max(begin, start), change.at, offset, reached, rule))
        reached = max(reached, change.at + offset)
        begin, offset = change.at, change.after
        gap = begin + offset - reached
        if _is_caught_up(gap, rule):
            # One minute more than the gap: what is due right after it runs together with what was jumped over.
            spans.append(Span(reached, reached + gap + 1, offset, gathered_at=begin))
            reached += gap + 1
        elif gap < -LONGEST_JUMP or rule is ClockChange.TWICE:
            reached = begin + offset
    spans.append(_span(max(begin, start), stop, offset, reached, rule))
    return tuple(span for span in spans if span.wall_from < span.wall_to and span.is_from(start))


def _span(begin: int, end: int, offset: int, reached: int, rule: ClockChange | None) -> Span:
    wall_from = begin + offset
    return Span(wall_from if rule is None else max(wall_from, reached), end + offset, offset)


def _is_caught_up(gap: int, rule: ClockChange | None) -> bool:
    return rule in (ClockChange.ONCE, ClockChange.TWICE) and 0 < gap < LONGEST_JUMP


@lru_cache(maxsize=4096)
def year_bounds(year: int) -> tuple[int, int]:
    """The first minute of a UTC year and of the next one."""
    return to_minute(datetime(year, 1, 1, tzinfo=UTC)), to_minute(datetime(year + 1, 1, 1, tzinfo=UTC))
