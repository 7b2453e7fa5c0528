"""Which days a sync of Meta reads: what is new, and what Meta may still restate. Pure."""

from datetime import date

from app.syncs.days import ONE_DAY, DayRange, next_windows

# Meta restates a day for so long and not longer.
LOOKBACK_DAYS = 28
KEPT_MONTHS = 37
# As far back as a new connection is read.
FIRST_DAYS = 90
# More than this is not asked for at once: what may be restated, and today.
MOST_DAYS = LOOKBACK_DAYS + 1


def meta_windows(high_water: date | None, *, today: date) -> list[DayRange]:
    """What to read next, oldest first: all that has not landed, and what has and may have been restated.

    `high_water` is the last day that has landed completely, None when nothing has. It and `today` are days of the
    account's zone. Today is read as well, for what is known of it.
    """
    oldest = oldest_day(today)
    # Ahead of today it can only be after the zone was changed: today is read all the same.
    known = min(high_water, today) if high_water is not None else None
    windows = next_windows(known, today=today, lookback_days=LOOKBACK_DAYS, first_days=FIRST_DAYS, chunk_days=MOST_DAYS)
    return [DayRange(max(each.first, oldest), each.last) for each in windows if each.last >= oldest]


def lost_to_meta(high_water: date | None, *, today: date) -> DayRange | None:
    """The days after the last one that has landed that Meta keeps no more; None where there are none."""
    last = oldest_day(today) - ONE_DAY
    first = None if high_water is None else high_water + ONE_DAY
    return None if first is None or first > last else DayRange(first, last)


def oldest_day(today: date) -> date:
    """The first day of the oldest month that Meta still knows as a whole."""
    months = today.year * 12 + today.month - 1 - KEPT_MONTHS + 1
    return date(months // 12, months % 12 + 1, 1)
