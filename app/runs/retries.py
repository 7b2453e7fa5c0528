"""What follows an attempt that did not succeed. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.jobs.policies import RetryPolicy
from app.runs.states import Reason, RunState

# How long a run waits for a worker that can do it. Long enough for the ones that cannot to do other work.
WORKER_PAUSE = timedelta(seconds=30)
# A run with which so many workers were lost may be what ends them, and would go on to do so.
MOST_LOSSES = 3


@dataclass(frozen=True)
class Next:
    """Where a run goes: its next state, why, and from when on it may start again."""

    state: RunState
    reason: Reason | None
    ready_at: datetime | None = None


def after_failure(policy: RetryPolicy, *, attempt: int, reason: Reason, may_retry: bool, now: datetime) -> Next:
    """A try ended badly: wait and try again while tries are left, unless trying again cannot help."""
    if may_retry and policy.has_tries_left(attempt):
        return Next(RunState.WAITING_RETRY, reason, now + policy.delay_after(attempt))
    return Next(RunState.FAILED, reason)


def after_loss(policy: RetryPolicy, *, attempt: int, losses: int, may_repeat: bool, now: datetime) -> Next:
    """A worker died or lost touch. Nobody knows what it did, so only what may be repeated is started again.

    `losses` counts the workers that were lost with this run, this one included.
    """
    if may_repeat and losses >= MOST_LOSSES:
        return Next(RunState.FAILED, Reason.LOST_TOO_OFTEN)
    if may_repeat and policy.has_tries_left(attempt):
        return Next(RunState.READY, Reason.LOST, now)
    return Next(RunState.FAILED, Reason.LOST)


def after_stop(*, may_repeat: bool, now: datetime) -> Next:
    """A closing worker hands its run back. What may not be repeated counts as lost."""
    if may_repeat:
        return Next(RunState.READY, None, now)
    return Next(RunState.FAILED, Reason.LOST)


def after_wait(*, now: datetime) -> Next:
    """A worker lacked the key to a secret. Another one may have it, and this one may get it."""
    return Next(RunState.WAITING_RETRY, Reason.KEY_MISSING, now + WORKER_PAUSE)
