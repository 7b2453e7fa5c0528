"""What a job's owner chose for when it fails or its worker is lost. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# Longer waits help nobody: by then somebody has to look.
LONGEST_DELAY = timedelta(hours=1)


class Backoff(StrEnum):
    """How the wait grows from try to try."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"  # doubles each time, up to an hour


class WhenLost(StrEnum):
    """What follows when a worker dies or loses touch in the middle of a run, so that nobody knows how far it came."""

    KIND = "kind"  # what its kind says: syncs and workflows go on, functions only if declared safe to repeat
    RETRY = "retry"  # it is tried again, while tries are left
    FAIL = "fail"  # it ends as lost, and a person decides


@dataclass(frozen=True)
class RetryPolicy:
    """How often a run is tried, how long it waits in between, and what follows when its worker is lost."""

    tries: int
    delay_seconds: int
    backoff: Backoff
    when_lost: WhenLost = WhenLost.KIND

    def delay_after(self, attempt: int) -> timedelta:
        """The wait after that many attempts."""
        seconds = self.delay_seconds
        if self.backoff is Backoff.EXPONENTIAL:
            # The exponent is capped: 2 ** 64 seconds would overflow before it could be compared.
            seconds *= 2 ** min(attempt - 1, 16)
        return min(timedelta(seconds=seconds), LONGEST_DELAY)

    def has_tries_left(self, attempt: int) -> bool:
        """Whether another try may follow after that many attempts."""
        return attempt < self.tries

    def may_repeat(self, *, kind_says: bool) -> bool:
        """Whether a try whose end is unknown may be followed by another one by itself."""
        return kind_says if self.when_lost is WhenLost.KIND else self.when_lost is WhenLost.RETRY
