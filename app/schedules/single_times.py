"""Single times: “at 2026-12-24 18:00”, one a line. They come once, on the clocks of the schedule's zone."""

import re
from bisect import bisect_left
from dataclasses import dataclass, field

from app.schedules.clock_changes import to_instant
from app.schedules.cron_fields import CronInvalid
from app.schedules.intervals import read_wall_minute
from app.schedules.walls import A_MINUTE

MOST_TIMES = 10
_LINE = re.compile(r"at\s+([0-9]{4}-[0-9]{2}-[0-9]{2})\s+([0-9]{1,2}:[0-9]{2})", re.ASCII | re.IGNORECASE)
_SHOWN = 40


@dataclass(frozen=True)
class SingleTimes:
    """One to ten wall times, in order, each once."""

    text: str  # as typed, without the spaces around it
    canonical: str
    minutes: tuple[int, ...] = field(compare=False, repr=False)
    unit = A_MINUTE
    is_manual = False

    @property
    def years(self) -> tuple[int, int]:
        return to_instant(self.minutes[0]).year, to_instant(self.minutes[-1]).year

    def first(self, start: int, stop: int) -> int | None:
        place = bisect_left(self.minutes, start)
        return self.minutes[place] if place < len(self.minutes) and self.minutes[place] < stop else None

    def last(self, start: int, stop: int) -> int | None:
        place = bisect_left(self.minutes, stop) - 1
        return self.minutes[place] if place >= 0 and self.minutes[place] >= start else None

    def count(self, start: int, stop: int) -> int:
        return max(bisect_left(self.minutes, stop) - bisect_left(self.minutes, start), 0)


def single_times(minutes: set[int], *, text: str) -> SingleTimes:
    """These wall minutes as single times."""
    ordered = tuple(sorted(minutes))
    canonical = "\n".join(f"at {to_instant(minute):%Y-%m-%d %H:%M}" for minute in ordered)
    return SingleTimes(text, canonical, ordered)


def read_single_time(line: str) -> int:
    """The wall minute of one line. Raises CronInvalid."""
    found = _LINE.fullmatch(line.strip())
    if found is None:
        shown = line.strip() if len(line.strip()) <= _SHOWN else f"{line.strip()[:_SHOWN]}…"
        raise CronInvalid(f"“{shown}” cannot be read as a single time. Write it as: at 2027-01-31 18:00.")
    return read_wall_minute(found[1], found[2])
