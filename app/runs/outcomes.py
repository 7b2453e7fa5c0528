"""How a run stands as a picture of many tells it: its state, and whether it took more than one try. Pure."""

from enum import StrEnum

from app.runs.states import RunState


class Outcome(StrEnum):
    """What became of a run, or what it is at."""

    SUCCEEDED = "succeeded"
    SUCCEEDED_AFTER_RETRY = "succeeded_after_retry"
    FAILED = "failed"  # whatever the reason: of itself, by its time limit, or with its worker
    MISSED = "missed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    RUNNING = "running"
    WAITING = "waiting"  # for a slot, for another run, or for its next try


_WAITS = {RunState.READY, RunState.WAITING, RunState.WAITING_RETRY}


def outcome_of(state: RunState, *, is_retried: bool) -> Outcome:
    """The outcome of a run in this state; `is_retried` says that it took more than one try."""
    if state in _WAITS:
        return Outcome.WAITING
    if state is RunState.SUCCEEDED and is_retried:
        return Outcome.SUCCEEDED_AFTER_RETRY
    return Outcome(state.value)
