"""Which days a sync of Google Analytics reads: what is new, and what may still be restated. Pure."""

from datetime import date

from app.syncs.days import ONE_DAY, DayRange, next_windows

# Google works on a day for up to two days, and takes events of three days ago.
LOOKBACK_DAYS = 4
# Once a week as far back as it still moves what led to a key event.
WEEKLY_DAYS = 14
_SUNDAY = 6
# As far back as a new connection is read.
FIRST_DAYS = 90
# More than this is not asked for at once.
MOST_DAYS = 30


def ga4_windows(high_water: date | None, *, today: date) -> list[DayRange]:
    """What to read next, oldest first. Both are days of the property's zone; `high_water` is the last complete one.

    Whoever completes a Sunday looks back two weeks instead of four days, also when that was due and did not happen.
    """
    known = min(high_water, today) if high_water is not None else None
    lookback = WEEKLY_DAYS if known is not None and _completes_week(known, today) else LOOKBACK_DAYS
    return next_windows(known, today=today, lookback_days=lookback, first_days=FIRST_DAYS, chunk_days=MOST_DAYS)


def _completes_week(high_water: date, today: date) -> bool:
    """Whether a Sunday lies between the last complete day and today."""
    days = (today - high_water).days
    return any((high_water + after * ONE_DAY).weekday() == _SUNDAY for after in range(1, min(days, 8)))
