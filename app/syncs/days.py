"""Days of an account's zone: which one it is there, how far a window takes its stream, and what is asked next. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayRange:
    """Days in a row, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def day_of(moment: datetime, zone: str) -> date:
    """Which day it is in a zone at an instant."""
    return moment.astimezone(ZoneInfo(zone)).date()


def last_whole_day(moment: datetime, zone: str) -> date:
    """The last day that was over there. By dates and never by 24 hours: some days have 23 of them, some 25."""
    return day_of(moment, zone) - ONE_DAY


def raised(high_water: date | None, *, window: DayRange, fetched_at: datetime, zone: str) -> date | None:
    """The last day of which all is landed, and of all days before it, once this window is landed as well.

    Never goes back; does not jump over days that nobody fetched; a day that was not over yet does not count.
    """
    reached = min(window.last, last_whole_day(fetched_at, zone))
    if high_water is None:
        return reached if reached >= window.first else None
    has_hole = window.first > high_water + ONE_DAY
    return high_water if has_hole else max(high_water, reached)


def next_windows(
    high_water: date | None, *, today: date, lookback_days: int, first_days: int, chunk_days: int
) -> list[DayRange]:
    """What to fetch now, the oldest days first: the look-back and all since, or so many `first_days` for a start.

    In chunks, so that each that is landed is a step that need not be done again.
    """
    reach = lookback_days if high_water is not None else first_days
    begin = (high_water or today - ONE_DAY) - (reach - 1) * ONE_DAY
    chunks = []
    while begin <= today:
        end = min(begin + (chunk_days - 1) * ONE_DAY, today)
        chunks.append(DayRange(begin, end))
        begin = end + ONE_DAY
    return chunks


def split_days(days: DayRange, most: int) -> Iterator[DayRange]:
    """The same days in parts of so many at most, oldest first."""
    first = days.first
    while first <= days.last:
        last = min(first + (most - 1) * ONE_DAY, days.last)
        yield DayRange(first, last)
        first = last + ONE_DAY
