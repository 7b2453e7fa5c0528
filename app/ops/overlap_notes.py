"""What becomes of runs that take longer than the time between two of them. Pure; how long they take, others measure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from app.core.lengths import duration
from app.core.ranks import middle_of
from app.schedules.policies import Overlap


def overlap_note(coming: Sequence[datetime], *, typical: timedelta | None, overlap: Overlap) -> str | None:
    """“Runs take 7 min, every 5 min: about every second run will be skipped.” None where a run ends before the next.

    `coming` are some of the next runs, in order; of uneven distances the usual one counts.
    """
    gaps = [later - earlier for earlier, later in pairwise(coming)]
    if typical is None or not gaps:
        return None
    every = middle_of(gaps)
    if typical <= every:
        return None
    return f"Runs take {duration(typical)}, every {duration(every)}: {_outcome(overlap, -(-typical // every))}."


def _outcome(overlap: Overlap, slots: int) -> str:
    """What happens where a run takes as long as so many slots, rounded up."""
    if overlap is Overlap.ALLOW:
        return f"about {slots} of them go on at once"
    if overlap is Overlap.CANCEL_PREVIOUS:
        return "most are stopped by the next one before they are done"
    if overlap is Overlap.QUEUE_ONE:
        return "one waits all the time, and what comes while it waits will be skipped"
    if slots == 2:
        return "about every second run will be skipped"
    return f"about {slots - 1} of {slots} runs will be skipped"
