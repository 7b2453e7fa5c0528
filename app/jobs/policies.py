"""What a job's owner chose for when it fails. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# Longer waits help nobody: by then somebody has to look.
LONGEST_DELAY = timedelta(hours=1)


class Backoff(StrEnum):
    """How the wait grows from try to try."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"  # doubles each time, up to an hour


@dataclass(frozen=True)
class RetryPolicy:
    """How often a run is tried, and how long it waits in between."""

    tries: int
    delay_seconds: int
    backoff: Backoff

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
