"""What happens to a slot that could not run as planned: the choices and the decision. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# A slot younger than this is only late. An older one was missed, and the policy decides about it.
LATE_AFTER = timedelta(seconds=60)
# Without books, slots older than this are not looked for: their runs may have been deleted, and would be started again.
LOOK_BACK = timedelta(days=1)
DEFAULT_MAX_AGE_SECONDS = 86_400
DEFAULT_MISSED_LIMIT = 10
# More at once would keep a schedule busy with what is past.
MOST_MADE_UP = 100


class Overlap(StrEnum):
    """What to do when the previous run is still going."""

    SKIP = "skip"  # record the slot as skipped, naming the run in the way
    QUEUE_ONE = "queue_one"  # let one run wait for it; what comes while that one waits is skipped
    ALLOW = "allow"  # run both at once
    CANCEL_PREVIOUS = "cancel_previous"  # end what has not started, ask what goes on to stop, and run then


class Missed(StrEnum):
    """What to do about slots that came while nobody planned them."""

    LATEST = "latest"  # run once for the latest of them, if it is not too old
    SKIP = "skip"  # run none of them
    ALL = "all"  # run each of them that is not too old, up to a limit the newest ones


class GapReason(StrEnum):
    """Why nobody executed a range of slots."""

    SCHEDULER_DOWN = "scheduler_down"  # no scheduler was running
    PAUSED = "paused"  # the schedule was switched off
    SCHEDULING_STOPPED = "scheduling_stopped"  # a platform admin stopped all scheduling; the gap says who and why
    CLOCK_STEP = "clock_step"  # the database's clock was set past them, or planning waited because it was set
    UNREADABLE = "unreadable"  # the schedule could not be read; counted by its new text where nobody knows its times

    @property
    def is_wanted(self) -> bool:
        """Whether somebody wanted that nothing runs. Any other slots were missed."""
        return self in {GapReason.PAUSED, GapReason.SCHEDULING_STOPPED}


MISSED_REASONS = tuple(reason.value for reason in GapReason if not reason.is_wanted)


@dataclass(frozen=True)
class MissedPolicy:
    """What to do about slots that came while nobody planned. One that is merely late always runs."""

    missed: Missed
    max_age: timedelta
    limit: int = DEFAULT_MISSED_LIMIT

    @property
    def most(self) -> int:
        """How many of the slots that are due run at most."""
        return self.limit if self.missed is Missed.ALL else 1

    @property
    def reach(self) -> timedelta:
        """How old a slot may be that runs."""
        return LATE_AFTER if self.missed is Missed.SKIP else max(LATE_AFTER, self.max_age)


def is_missed(slot_at: datetime, *, now: datetime) -> bool:
    """Whether a slot is so old that it is not merely late."""
    return now - slot_at > LATE_AFTER
