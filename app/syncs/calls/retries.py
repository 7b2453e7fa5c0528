"""What follows a trouble: a wait in place, a return later, or the end. Pure; the service's own hint always wins."""

from dataclasses import dataclass
from datetime import timedelta

from app.syncs.calls.troubles import Trouble, TroubleClass

MOST_TRIES = 4
# A worker's slot is not held for longer than this by waiting.
LONGEST_WAIT_IN_PLACE = timedelta(seconds=60)
# A service's hint is taken for what it says between these.
SHORTEST_HINT = timedelta(seconds=1)
LONGEST_HINT = timedelta(hours=6)
# Errors cost quota as well, so asking a service again that said "too many calls" makes it worse.
WITHOUT_HINT = timedelta(minutes=5)
_FIRST_WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 30.0
_LIMITS = frozenset({TroubleClass.RATE_LIMITED, TroubleClass.QUOTA_EXHAUSTED})


@dataclass(frozen=True)
class Wait:
    """Ask again after this long."""

    pause: timedelta


@dataclass(frozen=True)
class Defer:
    """Give the slot back, and come back after this long."""

    pause: timedelta


@dataclass(frozen=True)
class GiveUp:
    """Asking again would not help."""


Decision = Wait | Defer | GiveUp


def decide(trouble: Trouble, *, tries: int, chance: float) -> Decision:
    """What to do after so many tries of one request. `chance` is from 0 to 1."""
    if trouble.trouble_class in _LIMITS:
        return _after_limit(trouble, tries)
    if trouble.trouble_class is not TroubleClass.TRANSIENT:
        return GiveUp()
    hint = _clamped(trouble.wait)
    if hint is not None and hint > LONGEST_WAIT_IN_PLACE:
        return Defer(hint)
    if tries >= MOST_TRIES:
        return GiveUp()
    return Wait(hint or backoff(tries, chance=chance))


def backoff(tries: int, *, chance: float) -> timedelta:
    """Doubles from try to try up to half a minute, and is spread over all of it, so that nobody comes in step."""
    longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(tries - 1, 16))
    return timedelta(seconds=longest * chance)


def _after_limit(trouble: Trouble, tries: int) -> Decision:
    hint = _clamped(trouble.wait)
    if hint is None:
        return Defer(WITHOUT_HINT)
    if hint > LONGEST_WAIT_IN_PLACE:
        return Defer(hint)
    return Wait(hint) if tries < MOST_TRIES else Defer(WITHOUT_HINT)


def _clamped(hint: timedelta | None) -> timedelta | None:
    return None if hint is None else min(max(hint, SHORTEST_HINT), LONGEST_HINT)
