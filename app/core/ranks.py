"""Percentiles by the nearest rank: always a value that did occur, however few there are. Pure."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

Value = TypeVar("Value", float, timedelta)


def nearest_rank(values: Iterable[Value], percent: int) -> Value:
    """The smallest value that at least so many of a hundred do not exceed. There has to be one.

    50 of [1, 60] is 1, and 95 of 1 to 20 is 19.
    """
    ordered = sorted(values)
    # In whole numbers, because 0.95 times 20 is a little more than 19.
    rank = -(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


def middle_of(values: Iterable[Value]) -> Value:
    """The smallest value that half of them do not exceed."""
    return nearest_rank(values, 50)
