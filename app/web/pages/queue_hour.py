"""The last hour of a queue as rows of a table, the newest first."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.runs.queue_minutes import MINUTE, SHOWN, QueueHour, minute_of


@dataclass(frozen=True)
class MinuteRow:
    """One minute: when it began, what waited in it, and how many runs ended in the minute before it."""

    at: datetime
    waiting: int
    ended: int


def hour_rows(hour: QueueHour, *, now: datetime) -> list[MinuteRow]:
    """The rows of an hour that ends now."""
    first = minute_of(now) - SHOWN + 1
    rows = [
        MinuteRow(datetime.fromtimestamp((first + place) * MINUTE, UTC), waiting, ended)
        for place, (waiting, ended) in enumerate(zip(hour.waiting, hour.ended, strict=True))
    ]
    return rows[::-1]
