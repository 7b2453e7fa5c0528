"""How an attempt ends that was told to stop, the same for every kind."""

from app.jobs.kinds.base import Outcome, OutcomeStatus, StopReason
from app.jobs.policies import ErrorClass

_OUTCOMES = {
    StopReason.TIME_LIMIT: Outcome(
        OutcomeStatus.TIMED_OUT, "It reached its time limit and was stopped.", error_class=ErrorClass.TIMED_OUT
    ),
    StopReason.LEASE_LOST: Outcome(OutcomeStatus.STOPPED, "Its worker lost the right to go on, and stopped it."),
    StopReason.WORKER_STOPPING: Outcome(OutcomeStatus.STOPPED, "Its worker is shutting down, and stopped it."),
    StopReason.CANCELLED: Outcome(OutcomeStatus.CANCELLED, "It was cancelled, and stopped."),
}


def stopped(reason: StopReason) -> Outcome:
    """The outcome of an attempt that had to stop."""
    return _OUTCOMES[reason]
