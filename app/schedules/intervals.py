"""Intervals: “every 90 minutes from 2026-11-21 08:00”. Read, completed and computed with; nothing is enumerated."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from app.schedules.clock_changes import LAST_YEAR, ORIGIN, to_instant
from app.schedules.cron_fields import CronInvalid
from app.schedules.walls import A_MINUTE

# Enough for everything people repeat, and few enough that a next time is never out of reach.
LONGEST_MINUTES = 5 * 366 * 1440
FIRST_DATE_YEAR, LAST_DATE_YEAR = 2000, 2199
# Only to show what is wrong with what somebody typed.
_SHOWN = 40

# Longer numbers than any line has room for are not read as numbers.
_WORDS = r"every(?:\s+(?P<count>[0-9]{1,90}))?\s+(?P<unit>minutes?|hours?|days?|weeks?)"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{1,2}:[0-9]{2}"
_COMPLETE = re.compile(rf"{_WORDS}\s+from\s+(?P<date>{_DATE})\s+(?P<time>{_TIME})", re.ASCII | re.IGNORECASE)
_WITHOUT_TIME = re.compile(rf"(?P<begin>{_WORDS}\s+from\s+{_DATE})", re.ASCII | re.IGNORECASE)
_WITHOUT_DATE = re.compile(rf"(?P<begin>{_WORDS})(?:\s+from\s+(?P<time>{_TIME}))?", re.ASCII | re.IGNORECASE)
_EXAMPLE = "Write it as: every 90 minutes from 2027-01-31 08:00."


class IntervalUnit(StrEnum):
    """What is counted. Days and weeks keep the time on the wall, minutes and hours the time that passes."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def minutes(self) -> int:
        """How many minutes it has while no clock changes."""
        return {"minute": 1, "hour": 60, "day": 1440, "week": 7 * 1440}[self.value]


@dataclass(frozen=True)
class Interval:
    """Every so many units from a wall time on."""

    text: str  # as typed, without the spaces around it
    canonical: str
    count_of_units: int = field(compare=False, repr=False)
    of: IntervalUnit = field(compare=False, repr=False)
    anchor: int = field(compare=False, repr=False)  # the wall minute it begins at
    unit = A_MINUTE
    is_manual = False

    @property
    def step(self) -> int:
        """The minutes from one to the next."""
        return self.count_of_units * self.of.minutes

    @property
    def is_elapsed(self) -> bool:
        """Whether it runs by the time that passes, also when the clocks change."""
        return self.of in (IntervalUnit.MINUTE, IntervalUnit.HOUR)

    @property
    def years(self) -> tuple[int, int]:
        return to_instant(self.anchor).year, LAST_YEAR

    def first(self, start: int, stop: int) -> int | None:
        """The first wall minute in [start, stop). As `last` and `count`, for those that keep the time on the wall."""
        found = self.anchor + self._places_before(start) * self.step
        return found if found < stop else None

    def last(self, start: int, stop: int) -> int | None:
        found = self.anchor + (self._places_before(stop) - 1) * self.step
        return found if found >= max(start, self.anchor) else None

    def count(self, start: int, stop: int) -> int:
        return max(self._places_before(stop) - self._places_before(start), 0)

    def _places_before(self, wall: int) -> int:
        return max(-(-(wall - self.anchor) // self.step), 0)


def parse_interval(text: str) -> Interval:
    """Understand a complete interval. Raises CronInvalid."""
    typed = text.strip()
    found = _COMPLETE.fullmatch(typed)
    if found is None:
        raise CronInvalid(_what_is_wrong(typed))
    of, count = IntervalUnit(found["unit"].lower().rstrip("s")), int(found["count"] or 1)
    if count == 0:
        raise CronInvalid("An interval is at least one minute long. Write every 1 minute, or more.")
    if count * of.minutes > LONGEST_MINUTES:
        raise CronInvalid("An interval is at most five years long. Use a smaller number.")
    anchor = read_wall_minute(found["date"], found["time"])
    units = of.value if count == 1 else f"{of.value}s"
    begins = f"{to_instant(anchor):%Y-%m-%d %H:%M}"
    canonical = f"every {units} from {begins}" if count == 1 else f"every {count} {units} from {begins}"
    return Interval(typed, canonical, count, of, anchor)


def complete_interval(text: str, today: date) -> str:
    """The text with the date, and the time, from which its interval counts; every other text stays as it is.

    For what somebody types: what is stored is complete, so that it never depends on the day it is read.
    """
    typed = text.strip()
    if len(typed) > 100 or typed[:5].lower() != "every":
        return text
    without_time = _WITHOUT_TIME.fullmatch(typed)
    if without_time is not None:
        return f"{without_time['begin']} 00:00"
    without_date = _WITHOUT_DATE.fullmatch(typed)
    if without_date is None:
        return text
    return f"{without_date['begin']} from {today:%Y-%m-%d} {without_date['time'] or '00:00'}"


def read_wall_minute(day: str, time: str) -> int:
    """A date and a time as wall minutes. Raises CronInvalid."""
    try:
        begin = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=ORIGIN.tzinfo)
    except ValueError as error:
        raise CronInvalid(f"There is no date {day}. Write it as year-month-day, such as 2027-01-31.") from error
    if not FIRST_DATE_YEAR <= begin.year <= LAST_DATE_YEAR:
        raise CronInvalid(f"{day} is out of reach. Use the years {FIRST_DATE_YEAR} to {LAST_DATE_YEAR}.")
    hour, minute = map(int, time.split(":"))
    if hour > 23 or minute > 59:
        raise CronInvalid(f"There is no time {time}. Use 00:00 to 23:59.")
    return (begin - ORIGIN).days * 1440 + hour * 60 + minute


def _what_is_wrong(typed: str) -> str:
    if _WITHOUT_DATE.fullmatch(typed) or _WITHOUT_TIME.fullmatch(typed):
        return f"Say from when “{typed}” counts, with date and time. {_EXAMPLE}"
    if re.search(r"\bseconds?\b", typed, re.ASCII | re.IGNORECASE):
        return "An interval is at least one minute long. For seconds, use a cron line with six fields."
    shown = typed if len(typed) <= _SHOWN else f"{typed[:_SHOWN]}…"
    return f"“{shown}” cannot be read as an interval. {_EXAMPLE}"
