"""Whether figures are as new as promised. Pure.

This is apart from whether runs succeed: a run that brought nothing newer makes nothing fresher.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.syncs.days import ONE_DAY, DayRange
from app.syncs.lost_days import lost_words

# From its start until a sync has landed what is new, in most accounts and some to spare.
TYPICAL_SYNC = timedelta(minutes=10)
_MINUTE = timedelta(minutes=1)


class Freshness(StrEnum):
    """How figures stand to their promise."""

    FRESH = "fresh"
    AT_RISK = "at risk"  # by the time a run could have brought them, the deadline will have passed
    STALE = "stale"  # the deadline has passed


@dataclass(frozen=True)
class Standing:
    """Figures are here through a day; those of the next one are promised by `deadline`, which is past when stale."""

    data_through: date
    deadline: datetime
    freshness: Freshness

    def words(self, zone: str) -> str:
        """`data through 2026-05-06 · promised by 07:00 · at risk`."""
        by = self.deadline.astimezone(ZoneInfo(zone))
        return f"data through {self.data_through} · promised by {by:%H:%M} · {self.freshness}"


def deadline_of(day: date, *, minute: int, zone: str) -> datetime:
    """By when the figures of a day are promised: at a minute of the next day, by the account's clocks.

    A time that comes twice means the first one; one that is left out means the first moment after it.
    """
    wall = datetime.combine(day + ONE_DAY, time(minute // 60, minute % 60))
    # Over a day that a zone left out as a whole, as well.
    while not _exists(wall, zone):
        wall += _MINUTE
    return _instant(wall, zone)


def standing(
    data_through: date, *, minute: int, zone: str, now: datetime, next_start: datetime | None, typical: timedelta
) -> Standing:
    """How figures stand that are here through a day.

    `next_start` is when the next run can begin, or began if it goes on; None when nothing is planned. `typical` is how
    long a run takes until it has landed. A run brings a day only once that day is over.
    """
    day = data_through + ONE_DAY
    deadline = deadline_of(day, minute=minute, zone=zone)
    if now >= deadline:
        return Standing(data_through, deadline, Freshness.STALE)
    is_over_at = _instant(datetime.combine(day + ONE_DAY, time()), zone)
    if next_start is None or max(now, max(next_start, is_over_at) + typical) > deadline:
        return Standing(data_through, deadline, Freshness.AT_RISK)
    return Standing(data_through, deadline, Freshness.FRESH)


def standing_to_promise(
    data_through: date | None, *, minute: int | None, zone: str | None, now: datetime, next_start: datetime | None
) -> Standing | None:
    """How a stream stands to its promise; None where there is none, or nothing is complete yet."""
    if minute is None or data_through is None:
        return None
    return standing(
        data_through, minute=minute, zone=zone or "UTC", now=now, next_start=next_start, typical=TYPICAL_SYNC
    )


def freshness_words(
    found: Standing | None, *, data_through: date | None, zone: str | None, lost: Iterable[DayRange] = ()
) -> str:
    """`data through 2026-05-06 · promised by 07:00 · at risk`, by the account's clocks, and which days were lost."""
    if found is not None:
        said = found.words(zone or "UTC")
    elif data_through is None:
        said = "nothing complete yet"
    else:
        said = f"data through {data_through} · nothing is promised"
    return " · ".join(words for words in (said, lost_words(lost)) if words)


def _instant(wall: datetime, zone: str) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _exists(wall: datetime, zone: str) -> bool:
    return _instant(wall, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall
