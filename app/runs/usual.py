"""How long runs usually take, and which of them did not. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.core.ranks import middle_of

# Fewer say nothing about what is usual.
FEWEST = 3
# So many median deviations from the middle are usual, and at least a fifth of it.
_DEVIATIONS = 3
_LEAST_SHARE = 0.2
# Nobody cares about a few seconds.
_LEAST_SURPRISE = timedelta(seconds=10)
_RECENT = 5


@dataclass(frozen=True)
class Usual:
    """The middle of some lengths, and the range that is nothing special."""

    typical: timedelta
    low: timedelta
    high: timedelta

    def is_surprise(self, took: timedelta) -> bool:
        """Whether a run that took so long stands out."""
        return not self.low <= took <= self.high and abs(took - self.typical) > _LEAST_SURPRISE


@dataclass(frozen=True)
class Step:
    """Lately they take another time than before."""

    before: timedelta
    now: timedelta


def usual_of(lengths: Sequence[timedelta]) -> Usual | None:
    """What is usual by these; None for fewer than three."""
    if len(lengths) < FEWEST:
        return None
    seconds = [length.total_seconds() for length in lengths]
    middle = middle_of(seconds)
    deviation = middle_of(abs(each - middle) for each in seconds)
    reach = max(_DEVIATIONS * deviation, _LEAST_SHARE * middle)
    return Usual(
        timedelta(seconds=middle), timedelta(seconds=max(0.0, middle - reach)), timedelta(seconds=middle + reach)
    )


def step_of(lengths: Sequence[timedelta]) -> Step | None:
    """Whether the last five, the newest at the end, stand out together from those before."""
    before = usual_of(lengths[:-_RECENT])
    if before is None:
        return None
    now = middle_of(lengths[-_RECENT:])
    return Step(before.typical, now) if before.is_surprise(now) else None
