"""What a job's owner chose for when it fails or its worker is lost. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Any

# Longer waits help nobody, unless somebody says otherwise: by then a person has to look.
DEFAULT_LONGEST_DELAY_SECONDS = 3_600
LONGEST_DELAY_SECONDS = 3_600
LONGEST_LONGEST_DELAY_SECONDS = 86_400
MOST_AT_ONCE = 1_000
# How far chance moves a wait, either way.
JITTER = 0.2


class Backoff(StrEnum):
    """How the wait grows from try to try."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"  # doubles each time, up to the longest delay


class Priority(IntEnum):
    """Who of an organization goes first when several of its runs are ready. Stored as these numbers."""

    HIGH = 0
    NORMAL = 1
    LOW = 2

    @property
    def word(self) -> str:
        """As people and programs write it."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Priority":
        """The one of this word. Raises KeyError."""
        return cls[word.upper()]


class ErrorClass(StrEnum):
    """What kind of trouble ended a try. A policy may say which kinds are not worth another one."""

    NETWORK = "network"  # nothing answered
    RATE_LIMITED = "rate_limited"  # the other side asked for fewer calls
    SERVER = "server"  # the other side failed, and said so
    REFUSED = "refused"  # it refused the credentials; never tried again
    REJECTED = "rejected"  # it answered, but not as expected
    TIMED_OUT = "timed_out"  # the time limit was reached
    JOB = "job"  # the job itself failed


class ChainOutcome(StrEnum):
    """After which end of a run its job starts another one."""

    SUCCESS = "success"
    FAILURE = "failure"  # for good, when no other try follows


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
    longest_delay_seconds: int = DEFAULT_LONGEST_DELAY_SECONDS
    # Whether the wait is spread by chance, so that many that failed together do not come back together.
    has_jitter: bool = False
    not_on: frozenset[ErrorClass] = frozenset()

    @classmethod
    def stored_in(cls, row: Any) -> "RetryPolicy":
        """What the columns of a job or a run say. Raises ValueError for words of another version."""
        return cls(
            row.tries, row.retry_delay_seconds, Backoff(row.retry_backoff), WhenLost(row.when_lost),
            row.retry_longest_delay_seconds, row.retry_has_jitter, read_not_on(row.retry_not_on),
        )  # fmt: skip

    @property
    def columns(self) -> dict[str, Any]:
        """The same columns, as they are written."""
        return {
            "tries": self.tries,
            "retry_delay_seconds": self.delay_seconds,
            "retry_backoff": self.backoff.value,
            "when_lost": self.when_lost.value,
            "retry_longest_delay_seconds": self.longest_delay_seconds,
            "retry_has_jitter": self.has_jitter,
            "retry_not_on": ",".join(sorted(self.not_on)),
        }

    def delay_after(self, attempt: int, *, chance: float = 0.5) -> timedelta:
        """The wait after that many attempts. Never more than the longest one, wherever chance (0 to 1) puts it."""
        seconds = self.delay_seconds
        if self.backoff is Backoff.EXPONENTIAL:
            # The exponent is capped: 2 ** 64 seconds would overflow before it could be compared.
            seconds *= 2 ** min(attempt - 1, 16)
        seconds = min(seconds, self.longest_delay_seconds)
        if not self.has_jitter:
            return timedelta(seconds=seconds)
        earliest, latest = (1 - JITTER) * seconds, min((1 + JITTER) * seconds, self.longest_delay_seconds)
        return timedelta(seconds=earliest + chance * (latest - earliest))

    def may_retry_on(self, error_class: ErrorClass | None) -> bool:
        """Whether trouble of this class is worth another try. A refused credential stays refused."""
        return error_class is not ErrorClass.REFUSED and error_class not in self.not_on

    def has_tries_left(self, attempt: int) -> bool:
        """Whether another try may follow after that many attempts."""
        return attempt < self.tries

    def may_repeat(self, *, kind_says: bool) -> bool:
        """Whether a try whose end is unknown may be followed by another one by itself."""
        return kind_says if self.when_lost is WhenLost.KIND else self.when_lost is WhenLost.RETRY


def read_not_on(words: str) -> frozenset[ErrorClass]:
    """Stored words as classes. One that this version does not know is passed over: it was made by a newer one."""
    return frozenset(ErrorClass(word) for word in words.split(",") if word in set(ErrorClass))
