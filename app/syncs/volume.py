"""What is usual for the size of a landing, learnt from those before. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# Before so many comparable runs nothing is said to be odd.
FEWEST = 8
# No more than so many are looked at, the newest first: what is usual may change slowly.
MOST = 28
# So many median deviations from the middle are usual, and at least a fifth of it.
_DEVIATIONS = 4
_LEAST_SHARE = 0.2
# Nobody cares about a few rows.
_LEAST_ROWS = 5


@dataclass(frozen=True)
class Band:
    """From what to what is usual, both included."""

    low: int
    high: int

    def holds(self, value: int) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        """`980–1,410`."""
        return f"{self.low:,}–{self.high:,}"


def usual_band(values: Sequence[int]) -> Band | None:
    """What is usual by these; None while too few are known.

    Never narrower than what they were themselves: none of them was in doubt.
    """
    recent = values[:MOST]
    if len(recent) < FEWEST:
        return None
    middle = median(recent)
    deviation = median(abs(value - middle) for value in recent)
    reach = max(_DEVIATIONS * deviation, _LEAST_SHARE * middle, _LEAST_ROWS)
    return Band(max(0, min(int(middle - reach), *recent)), max(int(middle + reach), *recent))
