"""Policies of a schedule in one sentence each: the same on pages, in the API and in commands. Pure."""

from datetime import timedelta
from typing import Protocol

from app.schedules.policies import Missed, Overlap
from app.schedules.policy_fields import length_words


class SaysPolicies(Protocol):
    """Whatever says what becomes of slots that cannot run as planned."""

    @property
    def missed(self) -> Missed: ...
    @property
    def missed_limit(self) -> int: ...
    @property
    def missed_max_age_seconds(self) -> int: ...
    @property
    def overlap(self) -> Overlap: ...


OVERLAP_SENTENCES = {
    Overlap.SKIP: "While a run goes on, the next one is skipped, and says which run was in the way.",
    Overlap.QUEUE_ONE: "While a run goes on, one more waits for it; what comes after that one is skipped.",
    Overlap.ALLOW: "Runs may go on side by side.",
    Overlap.CANCEL_PREVIOUS: "A new run takes the place of the one before: that one is cancelled, or asked to stop.",
}


def missed_sentence(missed: Missed, *, limit: int, max_age_seconds: int) -> str:
    """What becomes of the times that nobody planned."""
    age = length_words(timedelta(seconds=max_age_seconds))
    if missed is Missed.SKIP:
        return "Missed runs are not made up for."
    if missed is Missed.LATEST:
        return f"Of missed runs the latest is made up for, unless it is older than {age}."
    if limit == 1:
        return f"Of missed runs the newest one is made up for, unless it is older than {age}."
    return f"Missed runs of the last {age} are made up for, the newest {limit} at most."


def schedule_policy_sentences(schedule: SaysPolicies) -> list[str]:
    """What the policies of a schedule mean: missed runs first, then overlap."""
    limit, age = schedule.missed_limit, schedule.missed_max_age_seconds
    return [
        missed_sentence(schedule.missed, limit=limit, max_age_seconds=age),
        OVERLAP_SENTENCES[schedule.overlap],
    ]
