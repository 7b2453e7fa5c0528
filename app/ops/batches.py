"""Deleting a lot, a little at a time: SQLite has one writer and no queue, and nobody is to wait for a clean-up."""

import time
from collections.abc import Callable

# What one batch may take. The next one is smaller when it took longer, and larger when it was quick.
LONGEST_SECONDS = 0.05
FIRST_BATCH = 50
SMALLEST_BATCH = 5
LARGEST_BATCH = 2_000
# Others get at least as long a turn as the batch took.
LEAST_PAUSE_SECONDS = 0.02


def delete_in_batches(
    delete: Callable[[int], int],
    *,
    pause: Callable[[float], object] = time.sleep,
    ticks: Callable[[], float] = time.monotonic,
    is_over: Callable[[], bool] = lambda: False,
) -> int:
    """Call `delete` with how many at most, until it has nothing left to do. Returns how many it deleted.

    `pause` waits between two batches, and `is_over` says that there is no more time for it.
    """
    size, deleted = FIRST_BATCH, 0
    while not is_over():
        began = ticks()
        count = delete(size)
        took = ticks() - began
        deleted += count
        if count == 0:
            break
        size = next_size(size, took)
        pause(max(took, LEAST_PAUSE_SECONDS))
    return deleted


def next_size(size: int, took: float) -> int:
    """How many to delete next, after so many took so long."""
    if took > LONGEST_SECONDS:
        return max(SMALLEST_BATCH, size // 2)
    return min(LARGEST_BATCH, size * 2) if took < LONGEST_SECONDS / 4 else size
