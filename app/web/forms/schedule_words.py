"""The plain words of a schedule's policies, as its form and the pages say them."""

from app.schedules.clock_changes import ClockChange
from app.schedules.policies import Missed, Overlap

OVERLAP_WORDS = {
    Overlap.SKIP: "Skip the new one (recommended; it stays visible as Skipped)",
    Overlap.QUEUE_ONE: "Let one wait, and skip what comes after that one",
    Overlap.ALLOW: "Run both at once (only if the job is safe in parallel)",
    Overlap.CANCEL_PREVIOUS: "Stop the previous one, and run the new one instead",
}
MISSED_WORDS = {
    Missed.LATEST: "Run once when it is back, for the latest time it missed",
    Missed.SKIP: "Skip what it missed, and go on with the next time",
    Missed.ALL: "Run once for each time it missed, up to the number below",
}
CLOCK_CHANGE_WORDS = {
    ClockChange.ONCE: "Run once: right after the gap, or the first of two times (recommended)",
    ClockChange.SKIP: "Leave out what does not exist; of two times run the first",
    ClockChange.TWICE: "Run both of two times; right after the gap what does not exist",
}


def overlap_words(overlap: Overlap) -> str:
    """A policy as the form says it, without the advice."""
    return OVERLAP_WORDS[overlap].partition(" (")[0]


def missed_words(missed: Missed) -> str:
    """A policy as the form says it."""
    return MISSED_WORDS[missed]


def clock_change_words(rule: ClockChange) -> str:
    """A rule as the form says it, without the advice."""
    return CLOCK_CHANGE_WORDS[rule].partition(" (")[0]
