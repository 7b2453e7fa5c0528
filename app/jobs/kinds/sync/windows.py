"""Which days of a stream a run still has to read. Pure."""

from collections.abc import Sequence
from datetime import date

from app.syncs.days import ONE_DAY, DayRange


def left_to_read(windows: Sequence[DayRange], landed: Sequence[DayRange]) -> list[DayRange]:
    """The days of the windows, without those at the beginning that this very run has landed already.

    An attempt that goes on, or follows one that was killed, does not read again what is there. Days in a row come as
    one range: the reader makes windows of it.
    """
    left = []
    for days in _joined(windows):
        first = days.first
        while (reached := _reached(landed, first)) is not None:
            first = reached + ONE_DAY
        if first <= days.last:
            left.append(DayRange(first, days.last))
    return left


def _joined(windows: Sequence[DayRange]) -> list[DayRange]:
    joined: list[DayRange] = []
    for window in windows:
        if joined and window.first == joined[-1].last + ONE_DAY:
            joined[-1] = DayRange(joined[-1].first, window.last)
        else:
            joined.append(window)
    return joined


def _reached(landed: Sequence[DayRange], day: date) -> date | None:
    ends = [days.last for days in landed if days.first <= day <= days.last]
    return max(ends, default=None)
