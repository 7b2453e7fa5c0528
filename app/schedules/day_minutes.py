"""The minutes of a day at which a rhythm ever fires, by its own clock: 1,440 bits, the first minute first. Pure."""

from app.schedules.fire_times import Rhythm

_BYTES = 180


def minutes_of(when: Rhythm) -> bytes:
    """What is kept with a schedule, so that nobody has to read its text to see that it cannot fire at some time."""
    in_hour = sum(1 << minute for minute in when.cron.minutes)
    return sum(in_hour << 60 * hour for hour in when.cron.hours).to_bytes(_BYTES, "little")


def read_minutes(stored: bytes) -> int:
    """The same as a number, whose lowest bit is 00:00."""
    return int.from_bytes(stored, "little")


def in_hour_from(minutes: int, first: int) -> int:
    """Sixty bits from the minute `first` of the day on, going on with the next day after midnight."""
    return (minutes >> first | minutes << 1440 - first) & (1 << 60) - 1
