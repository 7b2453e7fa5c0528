"""Whole numbers of whatever somebody else's code gives for one."""

from math import inf
from typing import Any

# The largest that the databases store.
MOST = 2**63 - 1


def whole_number(number: Any) -> int:
    """Between 0 and MOST, and 0 for what is no number. Never raises."""
    try:
        return max(0, min(int(number), MOST))
    except (ArithmeticError, TypeError, ValueError):
        return MOST if number == inf else 0
