"""Which days a sync of Meta reads: what is new, and what Meta may still restate. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

# Meta restates a day for so long and not longer.
LOOKBACK_DAYS = 28
KEPT_MONTHS = 37
# As far back as a new connection is read.
FIRST_DAYS = 90


@dataclass(frozen=True)
class DayRange:
    """Days in a row of the account's zone, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def split_days(days: DayRange, most: int) -> Iterator[DayRange]:
    """The same days in parts of so many at most, oldest first."""
    first = days.first
    while first <= days.last:
        last = min(first + timedelta(days=most - 1), days.last)
        yield DayRange(first, last)
        first = last + timedelta(days=1)


def meta_days(high_water: date | None, *, today: date) -> DayRange:
    """The days of the next read: all that has not landed, and those landed ones that Meta may have restated.

    `high_water` is the last day that has landed completely, None when nothing has. It and `today` are days of the
    account's zone. Today is read as well, for what is known of it.
    """
    if high_water is None:
        first = today - timedelta(days=FIRST_DAYS - 1)
    else:
        # Ahead of today it can only be after the zone was changed: today is read all the same.
        first = min(high_water, today) - timedelta(days=LOOKBACK_DAYS - 1)
    return DayRange(max(first, oldest_day(today)), today)


def oldest_day(today: date) -> date:
    """The first day of the oldest month that Meta still knows as a whole."""
    months = today.year * 12 + today.month - 1 - KEPT_MONTHS + 1
    return date(months // 12, months % 12 + 1, 1)
