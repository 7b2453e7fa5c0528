"""When a rhythm fires: the one answer for planner, preview, calendar, command line and API. No clock is read here."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

from app.schedules.clock_changes import MINUTE, ClockChange
from app.schedules.cron import CronExpression
from app.schedules.intervals import Interval
from app.schedules.on_clocks import Elapsed, OnClocks, Part, count_common, first_showing
from app.schedules.rhythm_text import LONGEST_TEXT, Times, parse_times, refuse_long
from app.schedules.single_times import SingleTimes
from app.schedules.walls import A_MINUTE, A_SECOND, walls_of
from app.schedules.zones import Zone, find_zone

__all__ = ["MOMENT", "ClockChange", "Rhythm", "count_fires", "fire_times", "last_fire", "next_fire", "rhythm"]

# Slots are whole minutes or seconds; a moment before one is enough to find it with "strictly after".
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Rhythm:
    """What a text names, on the clocks of a zone, from its start on and before its end."""

    cron: Times
    zone: Zone
    clock_change: ClockChange = ClockChange.ONCE
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What it is made of: at most those cron lines that keep to the wall, and those that run by elapsed time."""
        times = self.cron
        if isinstance(times, SingleTimes):
            return (OnClocks(times, self.zone, self.clock_change),)
        if isinstance(times, Interval):
            return (self._of_interval(times),)
        return self._of_lines(times.lines)

    @property
    def may_end(self) -> bool:
        """Whether a time may come after which it never fires again."""
        return self.ends_at is not None or isinstance(self.cron, SingleTimes)

    def _of_lines(self, lines: tuple[CronExpression, ...]) -> tuple[OnClocks, ...]:
        unit = A_MINUTE if all(line.seconds == (0,) for line in lines) else A_SECOND
        by_clock = tuple(line for line in lines if line.is_fixed and not line.is_manual)
        by_elapsed_time = tuple(line for line in lines if not line.is_fixed)
        return tuple(
            OnClocks(walls_of(named, unit), self.zone, rule)
            for named, rule in ((by_clock, self.clock_change), (by_elapsed_time, None))
            if named
        )

    def _of_interval(self, interval: Interval) -> Part:
        if not interval.is_elapsed:
            return OnClocks(interval, self.zone, self.clock_change)
        return Elapsed(first_showing(self.zone, interval.anchor), interval.step * MINUTE)


def rhythm(
    cron_text: str,
    *,
    timezone: str,
    spread_key: str = "",
    clock_change: ClockChange = ClockChange.ONCE,
    has_seconds: bool = False,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Rhythm:
    """Read a rhythm as it is stored. Raises CronInvalid or UnknownZone."""
    # The planner asks ten thousand times in a busy second, and nobody may fill the memory with what he types.
    if len(cron_text) > LONGEST_TEXT or len(timezone) > LONGEST_TEXT:
        refuse_long(cron_text)
        find_zone(timezone)
    # Without H the key changes nothing, and schedules with the same text can share what was read.
    key = spread_key if "H" in cron_text or "h" in cron_text else ""
    return _read(cron_text, timezone, key, clock_change, has_seconds, starts_at, ends_at)


@lru_cache(maxsize=8192)
def _read(
    cron_text: str, timezone: str, spread_key: str, clock_change: ClockChange, has_seconds: bool,
    starts_at: datetime | None, ends_at: datetime | None,
) -> Rhythm:  # fmt: skip
    times = parse_times(cron_text, spread_key=spread_key, has_seconds=has_seconds)
    return Rhythm(times, find_zone(timezone), clock_change, starts_at, ends_at)


def fire_times(rhythm: Rhythm, *, after: datetime, limit: int, until: datetime | None = None) -> list[datetime]:
    """The first `limit` instants after `after` and not after `until`, in UTC."""
    after, until = _within(rhythm, after, until)
    if len(rhythm.parts) == 1:
        return rhythm.parts[0].fires(after, until, limit)
    # A time that two parts name is one time.
    found = {at for part in rhythm.parts for at in part.fires(after, until, limit)}
    return sorted(found)[:limit]


def next_fire(rhythm: Rhythm, *, after: datetime) -> datetime | None:
    """The first instant after `after`, or None when it never comes."""
    found = fire_times(rhythm, after=after, limit=1)
    return found[0] if found else None


def last_fire(rhythm: Rhythm, *, after: datetime, until: datetime) -> datetime | None:
    """The latest instant after `after` and not after `until`."""
    begin, end = _between(rhythm, after, until)
    found = [at for part in rhythm.parts if (at := part.last(begin, end)) is not None]
    return max(found, default=None)


def count_fires(rhythm: Rhythm, *, after: datetime, until: datetime) -> int:
    """How many instants lie after `after` and not after `until`."""
    begin, end = _between(rhythm, after, until)
    total = sum(part.count(begin, end) for part in rhythm.parts)
    if len(rhythm.parts) == 1:
        return total
    return total - _count_shared(rhythm, begin, end)


def _count_shared(rhythm: Rhythm, after: datetime, until: datetime) -> int:
    """How many instants both its parts name."""
    clocks = [part for part in rhythm.parts if isinstance(part, OnClocks)]
    if len(clocks) < 2 or isinstance(rhythm.cron, Interval | SingleTimes):
        return 0
    by_clock, by_elapsed_time = clocks
    together = walls_of(rhythm.cron.lines, by_clock.walls.unit)
    return count_common(by_clock, by_elapsed_time, together, after, until)


def _between(rhythm: Rhythm, after: datetime, until: datetime) -> tuple[datetime, datetime]:
    begin, end = _within(rhythm, after, until)
    return begin, until if end is None else end


def _within(rhythm: Rhythm, after: datetime, until: datetime | None) -> tuple[datetime, datetime | None]:
    """The question without what lies before its start, and at or after its end."""
    begin, end = rhythm.starts_at, rhythm.ends_at
    if begin is not None and begin > after:
        after = (begin - MOMENT).astimezone(UTC)
    if end is not None and (until is None or end <= until):
        until = (end - MOMENT).astimezone(UTC)
    return after, until
