"""What the outcome of a job means for its run: how the attempt ended, and what follows. The executor writes it down."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from app.jobs.kinds.base import JobKind, Outcome, OutcomeStatus
from app.runs import retries
from app.runs.facts import AttemptEnd, Started
from app.runs.retries import Next, Trouble
from app.runs.states import AttemptState, Reason, RunState

_ATTEMPT_STATES = {
    OutcomeStatus.SUCCEEDED: AttemptState.SUCCEEDED,
    OutcomeStatus.FAILED: AttemptState.FAILED,
    OutcomeStatus.TIMED_OUT: AttemptState.TIMED_OUT,
    OutcomeStatus.STOPPED: AttemptState.RELEASED,
    OutcomeStatus.WAITING: AttemptState.RELEASED,
    OutcomeStatus.SUSPENDED: AttemptState.RELEASED,
    OutcomeStatus.CANCELLED: AttemptState.CANCELLED,
}
# Ended by us and not by the job: the try is given back.
_NOT_ITS_FAULT = {OutcomeStatus.STOPPED, OutcomeStatus.WAITING}


@dataclass(frozen=True)
class Verdict:
    """How an attempt that has not succeeded ended, what follows for its run, and whether the try is given back."""

    end: AttemptEnd
    then: Next
    refund: bool


def end_of(outcome: Outcome) -> AttemptEnd:
    """How the attempt ended, as its job says."""
    return AttemptEnd(
        _ATTEMPT_STATES[outcome.status], outcome.message, outcome.detail, dict(outcome.result), outcome.error_class
    )


def judge(
    started: Started, outcome: Outcome, *, kind: JobKind | None, chance: Callable[[], float], now: datetime
) -> Verdict:
    """What becomes of a run whose attempt did not succeed.

    `kind` is that of its job, where this version knows it. `chance` gives a number from 0 to 1: where a wait falls
    that is spread.
    """
    end = end_of(outcome)
    if outcome.come_back_after is not None:
        end = replace(end, come_back_at=now + retries.break_of(outcome.come_back_after))
    then = _then(started, outcome, kind, chance, now)
    refund = outcome.status in _NOT_ITS_FAULT and then.state is not RunState.FAILED and then.reason is not Reason.ERROR
    if outcome.status is OutcomeStatus.WAITING and not refund:
        end = replace(end, state=AttemptState.FAILED)
    if outcome.status is OutcomeStatus.STOPPED and not refund:
        end = _as_lost(end, started)
    return Verdict(end, then, refund)


def _then(started: Started, outcome: Outcome, kind: JobKind | None, chance: Callable[[], float], now: datetime) -> Next:
    if outcome.status is OutcomeStatus.WAITING and _may_wait(started, outcome):
        return retries.after_wait(outcome.come_back_after, now=now)
    if outcome.status is OutcomeStatus.CANCELLED:
        return Next(RunState.CANCELLED, Reason.CANCELLED)
    if outcome.status is OutcomeStatus.STOPPED:
        kind_says = kind is not None and kind.may_repeat(started.definition)
        may_repeat = started.retry.may_repeat(kind_says=kind_says)
        return retries.after_stop(may_repeat=may_repeat, now=now)
    reason = Reason.TIMED_OUT if outcome.status is OutcomeStatus.TIMED_OUT else Reason.ERROR
    trouble = Trouble(reason, outcome.may_retry, outcome.error_class, outcome.come_back_after)
    return retries.after_failure(started.retry, trouble, attempt=started.attempt, chance=chance(), now=now)


def _may_wait(started: Started, outcome: Outcome) -> bool:
    # A worker that lacks a key is no fault of the run's, however often it meets one.
    if outcome.come_back_after is None:
        return True
    return retries.may_defer_again(token=started.token, attempt=started.attempt)


def _as_lost(end: AttemptEnd, started: Started) -> AttemptEnd:
    # As if its worker had died: how far it came nobody knows, and again it may not begin.
    error = f"{end.error} {retries.why_not_again(started.retry.when_lost)}"
    return replace(end, state=AttemptState.LOST, error=error)
