"""What happens to a slot that could not run as planned: the choices and the decision. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# A slot younger than this is only late. An older one was missed, and the policy decides about it.
LATE_AFTER = timedelta(seconds=60)
# Without books, slots older than this are not looked for: their runs may have been deleted, and would be started again.
LOOK_BACK = timedelta(days=1)
DEFAULT_MAX_AGE_SECONDS = 86_400


class Overlap(StrEnum):
    """What to do when the previous run is still going."""

    SKIP = "skip"  # record the slot as skipped, naming the run in the way
    ALLOW = "allow"  # run both at once


class Missed(StrEnum):
    """What to do about slots that came while no scheduler was running."""

    LATEST = "latest"  # run once for the latest of them, if it is not too old
    SKIP = "skip"  # run none of them


class GapReason(StrEnum):
    """Why nobody executed a range of slots."""

    SCHEDULER_DOWN = "scheduler_down"  # no scheduler was running
    PAUSED = "paused"  # the schedule was switched off
    SCHEDULING_STOPPED = "scheduling_stopped"  # a platform admin stopped all scheduling; the gap says who and why
    CLOCK_STEP = "clock_step"  # the database's clock was set past them, or planning waited because it was set
    UNREADABLE = "unreadable"  # the schedule could not be read, so nobody knew its times; counted by its new text


@dataclass(frozen=True)
class SlotPlan:
    """What becomes of the slots that are due: the latest one runs or not, all others lie in a gap."""

    runs_latest: bool
    is_catch_up: bool
    slots_in_gap: int


def plan_due_slots(policy: Missed, *, latest: datetime, count: int, max_age: timedelta, now: datetime) -> SlotPlan:
    """Decide about `count` due slots of which `latest` is the last. One that is merely late always runs."""
    age = now - latest
    is_missed = age > LATE_AFTER
    runs_latest = not is_missed or (policy is Missed.LATEST and age <= max_age)
    return SlotPlan(runs_latest=runs_latest, is_catch_up=is_missed, slots_in_gap=count - 1 if runs_latest else count)
