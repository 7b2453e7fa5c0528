"""Days that nobody fetched while their service still kept them: they can never be had, and are told instead of awaited.

Kept with the mark of their stream. Pure.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from app.syncs.days import DayRange

_LOST = "lost_days"
# Each takes years of nobody syncing.
MOST_RANGES = 20


def lost_days(mark: Mapping[str, Any] | None) -> tuple[DayRange, ...]:
    """What the mark of a stream says was lost, the oldest first. Nothing where it cannot be read."""
    said = (mark or {}).get(_LOST, [])
    try:
        return tuple(DayRange(date.fromisoformat(first), date.fromisoformat(last)) for first, last in said)
    except (TypeError, ValueError):
        return ()


def with_lost(mark: Mapping[str, Any] | None, lost: Iterable[DayRange]) -> dict[str, Any]:
    """A mark that says so."""
    found = [[days.first.isoformat(), days.last.isoformat()] for days in lost][-MOST_RANGES:]
    rest = {name: value for name, value in (mark or {}).items() if name != _LOST}
    return rest | ({_LOST: found} if found else {})


def lost_words(lost: Iterable[DayRange]) -> str:
    """`2022-01-01 to 2023-09-30 cannot be had any more`. Empty for none."""
    said = [f"{days.first} to {days.last}" if days.days > 1 else f"{days.first}" for days in lost]
    return f"{', '.join(said)} cannot be had any more" if said else ""
