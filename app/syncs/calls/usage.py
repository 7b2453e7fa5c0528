"""How much of a service's quota is used, and how long to rest for it before the next call. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from app.syncs.calls.retries import LONGEST_HINT, WITHOUT_HINT

SLOW_FROM = 75.0
STOP_FROM = 95.0
# Just before the stop; from nothing at SLOW_FROM it grows evenly up to this.
LONGEST_REST = timedelta(seconds=30)
# Longer than this it is no limit of calls any more, but a quota that is used up.
LONGEST_LIMIT = timedelta(minutes=30)


@dataclass(frozen=True)
class Usage:
    """The highest of all percentages that a service told, and how long until it lets us go on, if it told that."""

    percent: float
    regain: timedelta | None = None


def rest_for(usage: Usage) -> timedelta:
    """How long to make no call."""
    if usage.percent >= STOP_FROM:
        return min(usage.regain or WITHOUT_HINT, LONGEST_HINT)
    over = max(0.0, usage.percent - SLOW_FROM)
    return LONGEST_REST * (over / (STOP_FROM - SLOW_FROM))
