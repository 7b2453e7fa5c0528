"""How many runs ended how, in words: what a picture says to those who cannot see it. Pure."""

from collections.abc import Mapping

from app.runs.outcomes import Outcome

# In the order in which they are told.
WORDS = {
    Outcome.SUCCEEDED: "succeeded",
    Outcome.SUCCEEDED_AFTER_RETRY: "after retry",
    Outcome.FAILED: "failed",
    Outcome.MISSED: "missed",
    Outcome.SKIPPED: "skipped",
    Outcome.CANCELLED: "cancelled",
    Outcome.RUNNING: "running",
    Outcome.WAITING: "queued",
}


def counted(number: int, noun: str) -> str:
    """“1 run”, “4,212 runs”."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def outcome_counts(counts: Mapping[Outcome, int], notes: Mapping[Outcome, str] | None = None) -> str:
    """“27 succeeded, 1 after retry, 2 failed (latest 3 d ago)”; without those of which there are none."""
    said = notes or {}
    parts = [
        f"{counts[outcome]:,} {word}" + (f" ({said[outcome]})" if outcome in said else "")
        for outcome, word in WORDS.items()
        if counts.get(outcome)
    ]
    return ", ".join(parts)
