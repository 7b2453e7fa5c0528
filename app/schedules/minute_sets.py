"""All times of a rhythm in a stretch of some hundred days, as bits: to see whether two rhythms fire alike. Pure.

There is a set for each second of the minute at which it fires; bit 0 is the minute in which the stretch begins. A year
takes 70 KB and less than a millisecond, however often the rhythm fires.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from app.schedules.clock_changes import (
    DAY_MINUTES,
    FIRST_YEAR,
    LAST_YEAR,
    MINUTE,
    ORIGIN,
    ClockChange,
    Span,
    spans_of_year,
    to_instant,
    to_minute,
)
from app.schedules.cron import CronExpression
from app.schedules.fire_times import Rhythm
from app.schedules.intervals import Interval
from app.schedules.on_clocks import cut, first_showing
from app.schedules.single_times import SingleTimes
from app.schedules.wall_times import named_days

# Further than any clock is from UTC, in days.
_FARTHEST = 2
_DAY_BYTES = DAY_MINUTES // 8


def minute_sets(rhythm: Rhythm, *, after: datetime, until: datetime) -> dict[int, int]:
    """The minutes in which it fires after one instant and not after another, for each second of the minute."""
    stretch = _Stretch(rhythm, to_minute(after), to_minute(until) + 1)
    found = {second: bits & stretch.between(second, after, until) for second, bits in stretch.sets().items()}
    return {second: bits for second, bits in found.items() if bits}


class _Stretch:
    """A rhythm from one minute up to another, without its bounds."""

    def __init__(self, rhythm: Rhythm, start: int, stop: int) -> None:
        self._rhythm, self._start, self._stop = rhythm, start, stop
        self._first_day = start // DAY_MINUTES - _FARTHEST
        self._days = -(-stop // DAY_MINUTES) + _FARTHEST - self._first_day
        # The wall minute of bit 0.
        self._wall = self._first_day * DAY_MINUTES

    def sets(self) -> dict[int, int]:
        times, rule = self._rhythm.cron, self._rhythm.clock_change
        if isinstance(times, SingleTimes):
            named = (minute - self._wall for minute in times.minutes)
            return {0: self._of_walls(sum(1 << place for place in named if 0 <= place < self._size), rule)}
        if isinstance(times, Interval) and times.is_elapsed:
            anchor = to_minute(first_showing(self._rhythm.zone, times.anchor))
            return {0: _every(times.step, anchor - self._start, self._stop - self._start)}
        if isinstance(times, Interval):
            return {0: self._of_walls(_every(times.step, times.anchor - self._wall, self._size), rule)}
        return self._of_lines(times.lines)

    def between(self, second: int, after: datetime, until: datetime) -> int:
        """The minutes whose second lies after one instant, not after another, and within the bounds of the rhythm."""
        zero = ORIGIN + self._start * MINUTE + timedelta(seconds=second)
        low, high = (after - zero) // MINUTE + 1, (until - zero) // MINUTE + 1
        begin, end = self._rhythm.starts_at, self._rhythm.ends_at
        if begin is not None:
            low = max(low, -((zero - begin) // MINUTE))
        if end is not None:
            high = min(high, -((zero - end) // MINUTE))
        low = max(low, 0)
        return (1 << high) - (1 << low) if low < high else 0

    @property
    def _size(self) -> int:
        return self._days * DAY_MINUTES

    def _of_lines(self, lines: Sequence[CronExpression]) -> dict[int, int]:
        found: dict[int, int] = {}
        lines = [line for line in lines if not line.is_manual]
        for (is_fixed, seconds), group in groupby(sorted(lines, key=_kind), key=_kind):
            walls = 0
            for line in group:
                walls |= self._walls_of(line)
            rule = self._rhythm.clock_change if is_fixed else None
            own, gathered = self._turns(walls, rule)
            for second in seconds:
                found[second] = found.get(second, 0) | own
            # What was jumped over runs at once, in the first second after it.
            found[0] = found.get(0, 0) | gathered
        return found

    def _walls_of(self, line: CronExpression) -> int:
        """The wall minutes that it names."""
        times = sum(1 << 60 * hour + minute for hour in line.hours for minute in line.minutes)
        day, no_day = times.to_bytes(_DAY_BYTES, "little"), bytes(_DAY_BYTES)
        days = named_days(line, self._first_day, self._first_day + self._days)
        return int.from_bytes(
            b"".join(day if bit == "1" else no_day for bit in reversed(f"{days:0{self._days}b}")), "little"
        )

    def _of_walls(self, walls: int, rule: ClockChange | None) -> int:
        own, gathered = self._turns(walls, rule)
        return own | gathered

    def _turns(self, walls: int, rule: ClockChange | None) -> tuple[int, int]:
        """When these wall minutes have their own turn, and when those that were jumped over run together."""
        own = gathered = 0
        for span in self._spans(rule):
            wall_from, wall_to = cut(span, self._start, self._stop)
            if wall_from >= wall_to:
                continue
            if span.gathered_at is not None:
                # Its last minute is the first one after the jump.
                gathered |= bool(_part(walls, wall_from - self._wall, wall_to - 1 - self._wall)) << (
                    span.gathered_at - self._start
                )
                wall_from = wall_to - 1
            own |= _part(walls, wall_from - self._wall, wall_to - self._wall) << (wall_from - span.offset - self._start)
        return own, gathered

    def _spans(self, rule: ClockChange | None) -> Iterator[Span]:
        first, last = (to_instant(minute).year for minute in (self._start, self._stop - 1))
        for year in range(max(first, FIRST_YEAR), min(last, LAST_YEAR) + 1):
            yield from spans_of_year(self._rhythm.zone, year, rule)


def _kind(line: CronExpression) -> tuple[bool, tuple[int, ...]]:
    return line.is_fixed, line.seconds


def _part(bits: int, start: int, stop: int) -> int:
    return bits >> start & (1 << stop - start) - 1


def _every(step: int, first: int, size: int) -> int:
    """Every so manieth bit from one on, in so many of them. The first one may lie before them."""
    first = first if first >= 0 else first % step
    if first >= size:
        return 0
    bits, length = 1, step
    while length < size:
        bits |= bits << length
        length *= 2
    return (bits & (1 << size - first) - 1) << first
