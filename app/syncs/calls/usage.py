"""How much of a service's quota is used, and how long to rest for it before the next call. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.syncs.calls.retries import LONGEST_HINT, WITHOUT_HINT

SLOW_FROM = 75.0
STOP_FROM = 95.0
# Just before the stop; from nothing at SLOW_FROM it grows evenly up to this.
LONGEST_REST = timedelta(seconds=30)
# Longer than this it is no limit of calls any more, but a quota that is used up.
LONGEST_LIMIT = timedelta(minutes=30)


# Most services count the calls of an hour, so what was used is free again after one.
REFILLS_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Usage:
    """The highest of all percentages that a service told, and how long until it lets us go on, if it told that.

    `refills` is how long until what was used is free again, and `rest` how long to make no call where the service says
    that itself: its percentage does not matter then.
    """

    percent: float
    regain: timedelta | None = None
    refills: timedelta = REFILLS_AFTER
    rest: timedelta | None = None


@dataclass(frozen=True)
class QuotaSeen:
    """What a service told of its quota while it was read: with the first answer, with the newest, and when that came.

    `rest` is how long it wants to be left alone from then on, `refills` how long until what was used is free again.
    """

    first_percent: float
    percent: float
    at: datetime
    rest: timedelta
    refills: timedelta = REFILLS_AFTER

    @property
    def cost(self) -> float:
        """By how much reading used it up, as far as can be seen: it may have filled up meanwhile."""
        return max(0.0, self.percent - self.first_percent)


def seen_with(usage: Usage, *, before: QuotaSeen | None, at: datetime) -> QuotaSeen:
    """What is known of a quota with one more answer."""
    first = usage.percent if before is None else before.first_percent
    return QuotaSeen(first, usage.percent, at, rest_for(usage), usage.refills)


def rest_for(usage: Usage) -> timedelta:
    """How long to make no call."""
    if usage.rest is not None:
        return min(usage.rest, LONGEST_HINT)
    if usage.percent >= STOP_FROM:
        return min(usage.regain or WITHOUT_HINT, LONGEST_HINT)
    over = max(0.0, usage.percent - SLOW_FROM)
    return LONGEST_REST * (over / (STOP_FROM - SLOW_FROM))
