"""How an attempt ended, from all that is known about it: the function's words, the guard's, the worker's. Pure."""

import signal
from datetime import timedelta

from app.core.text import storable
from app.jobs.kinds.base import Outcome, OutcomeStatus, StopReason
from app.jobs.kinds.code.lifeline import Report
from app.jobs.kinds.code.limits import Limit, Limits, breach_message
from app.jobs.kinds.code.protocol import EndMessage
from app.jobs.kinds.stops import stopped
from app.jobs.policies import ErrorClass

_LONGEST_BREAK_SECONDS = 31_536_000


def outcome_of(end: EndMessage | None, *, reason: StopReason | None, report: Report | None, limits: Limits) -> Outcome:
    """The outcome to store. `reason` is why the worker stopped it, if it did."""
    # What the function reported before it was stopped stays true.
    if end is not None:
        return as_told(end)
    if reason is not None:
        return stopped(reason)
    if report is None:
        return _failed("The guard of the function's process was killed, and the function with it.")
    if report.breach is None:
        return _failed(_early_end(report.exit_status))
    if report.breach.limit is Limit.LEASE:
        return stopped(StopReason.LEASE_LOST)
    return _failed(breach_message(report.breach, limits))


def _failed(message: str) -> Outcome:
    return Outcome(OutcomeStatus.FAILED, message, error_class=ErrorClass.JOB)


def as_told(end: EndMessage) -> Outcome:
    """The outcome in the function's own words."""
    if end.message is None:
        return Outcome(OutcomeStatus.SUCCEEDED, result=end.result)
    detail = None if end.detail is None else storable(end.detail)
    seconds = end.come_back_seconds
    return Outcome(
        OutcomeStatus.FAILED, storable(end.message), detail, may_retry=end.may_retry,
        error_class=end.error_class or ErrorClass.JOB,
        # Whatever it says, it is a length of time: a function can write what it likes.
        come_back_after=None if seconds is None else timedelta(seconds=min(max(0.0, seconds), _LONGEST_BREAK_SECONDS)),
    )  # fmt: skip


def _early_end(exit_status: int) -> str:
    if exit_status >= 0:
        return f"The function's process ended with exit status {exit_status} before it returned."
    try:
        name = signal.Signals(-exit_status).name
    except ValueError:
        name = f"signal {-exit_status}"
    hint = " The machine may have run out of memory." if -exit_status == signal.SIGKILL else ""
    return f"The function's process was ended by {name} before it returned.{hint}"
