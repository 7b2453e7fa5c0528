"""The minutes of a day at which a rhythm ever fires, by its own clock: 1,440 bits, the first minute first. Pure."""

from collections.abc import Iterable

from app.schedules.cron import CronExpression
from app.schedules.fire_times import Rhythm
from app.schedules.intervals import Interval
from app.schedules.single_times import SingleTimes

_BYTES, _DAY = 180, 1440
_EVERY_MINUTE = (1 << _DAY) - 1


def minutes_of(when: Rhythm) -> bytes:
    """What is kept with a schedule, so that nobody has to read its text to see that it cannot fire at some time."""
    return _named(when).to_bytes(_BYTES, "little")


def read_minutes(stored: bytes) -> int:
    """The same as a number, whose lowest bit is 00:00."""
    return int.from_bytes(stored, "little")


def in_hour_from(minutes: int, first: int) -> int:
    """Sixty bits from the minute `first` of the day on, going on with the next day after midnight."""
    return (minutes >> first | minutes << _DAY - first) & (1 << 60) - 1


def _named(when: Rhythm) -> int:
    times = when.cron
    if isinstance(times, SingleTimes):
        return _bits(minute % _DAY for minute in times.minutes)
    if isinstance(times, Interval):
        # By the time that passes it comes round to every minute sooner or later, and changes of the clocks do the rest.
        return _EVERY_MINUTE if times.is_elapsed else 1 << times.anchor % _DAY
    found = 0
    for line in times.lines:
        found |= _of_line(line)
    return found


def _of_line(line: CronExpression) -> int:
    in_hour = _bits(line.minutes)
    return sum(in_hour << 60 * hour for hour in line.hours)


def _bits(minutes: Iterable[int]) -> int:
    found = 0
    for minute in minutes:
        found |= 1 << minute
    return found
