"""What a person says about a schedule's policies, checked: maximum age, limit and notes. Pure."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from app.core.errors import Invalid
from app.core.names import has_unshowable
from app.schedules.fire_times import Rhythm, fire_times
from app.schedules.intervals import Interval
from app.schedules.policies import DEFAULT_MAX_AGE_SECONDS, MOST_MADE_UP, Missed
from app.schedules.single_times import SingleTimes
from app.schedules.zones import find_zone

LONGEST_NOTES = 2_000
# A column holds no more, and nobody wants to make up for a slot of the year before last.
LONGEST_MAX_AGE = timedelta(days=5 * 366)

# Where intervals are measured: by the same instants always, so that the answer does not depend on when it is asked.
_BEGIN, _END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2032, 2, 29, tzinfo=UTC)
_MOST_MEASURED = 400

_LENGTH = re.compile(r"([0-9]{1,9}) ?(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class PolicyInvalid(Invalid):
    """A policy that cannot be, with what to say instead."""


@lru_cache(maxsize=1_000)
def _shortest_interval(when: Rhythm) -> timedelta | None:
    found = fire_times(when, after=_BEGIN, until=_END, limit=_MOST_MEASURED)
    return min((later - earlier for earlier, later in pairwise(found)), default=None)


def shortest_interval(when: Rhythm) -> timedelta | None:
    """The shortest time between two slots, clock changes aside; None where two never come within eight years."""
    times = when.cron
    if isinstance(times, Interval):
        return timedelta(minutes=times.step)
    if isinstance(times, SingleTimes):
        return min((timedelta(minutes=later - one) for one, later in pairwise(times.minutes)), default=None)
    return _shortest_interval(Rhythm(times, find_zone("UTC"), when.clock_change))


def default_max_age(when: Rhythm) -> int:
    """How many seconds after its time a missed slot is made up for, unless somebody says otherwise: a day, or until
    the next slot where that is later.
    """
    interval = shortest_interval(when)
    return max(DEFAULT_MAX_AGE_SECONDS, int(interval.total_seconds()) if interval else 0)


def clean_max_age(seconds: int | None, *, when: Rhythm, missed: Missed) -> int:
    """The maximum age in seconds. Raises PolicyInvalid for one under which slots are lost by every short downtime."""
    if seconds is None:
        return default_max_age(when)
    if seconds <= 0:
        raise PolicyInvalid("The maximum age must be longer than nothing.", field="missed_max_age_seconds")
    if seconds > LONGEST_MAX_AGE.total_seconds():
        raise PolicyInvalid("The maximum age can be five years at most.", field="missed_max_age_seconds")
    interval = shortest_interval(when)
    if missed is not Missed.SKIP and interval is not None and seconds < interval.total_seconds():
        raise PolicyInvalid(
            f"The maximum age, {length_words(timedelta(seconds=seconds))}, is shorter than the time between two runs, "
            f"so what was missed would be given up before the next one comes. "
            f"Use at least {length_words(interval)}, or skip missed runs.",
            field="missed_max_age_seconds",
        )
    return seconds


def clean_limit(limit: int) -> int:
    """How many missed slots run at most. Raises PolicyInvalid."""
    if not 1 <= limit <= MOST_MADE_UP:
        raise PolicyInvalid(f"Make up for at least 1 and at most {MOST_MADE_UP} missed runs.", field="missed_limit")
    return limit


def clean_notes(text: str) -> str:
    """Notes as they are stored: trimmed, with plain line breaks. Raises PolicyInvalid."""
    notes = text.replace("\r\n", "\n").strip()
    if len(notes) > LONGEST_NOTES:
        raise PolicyInvalid(f"The notes are too long. Use at most {LONGEST_NOTES:,} characters.", field="notes")
    if has_unshowable(notes, besides="\n\t"):
        raise PolicyInvalid("The notes contain characters that cannot be shown. Type them again.", field="notes")
    return notes


def length_words(length: timedelta) -> str:
    """“7 days”, “36 hours”, “5 minutes”: the largest unit that fits without a rest."""
    seconds = int(length.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % size == 0 and seconds:
            return _plural(seconds // size, unit)
    return _plural(seconds, "second")


def read_length(text: str) -> int:
    """A length as people type it, “36 hours” or “90m”, in seconds. Raises PolicyInvalid."""
    found = _LENGTH.fullmatch(text.strip().lower().replace(",", ""))
    if found is None:
        raise PolicyInvalid(
            f"“{text.strip()[:40]}” is no length of time. Write 90 minutes, 36 hours or 7 days.",
            field="missed_max_age_seconds",
        )
    return int(found[1]) * _UNITS[found[2][0]]


def _plural(number: int, unit: str) -> str:
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"
