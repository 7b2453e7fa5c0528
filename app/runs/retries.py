"""What follows an attempt that did not succeed. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.jobs.policies import ErrorClass, RetryPolicy, WhenLost
from app.runs.states import Reason, RunState

# How long a run waits for a worker that can do it. Long enough for the ones that cannot to do other work.
WORKER_PAUSE = timedelta(seconds=30)
# A run with which so many workers were lost may be what ends them, and would go on to do so.
MOST_LOSSES = 3
# Whoever asks to be left alone for longer is asked again all the same.
LONGEST_BREAK = timedelta(days=1)
# A run that was put off so often does not get anywhere: from then on it uses up its tries.
MOST_DEFERRALS = 50


@dataclass(frozen=True)
class Next:
    """Where a run goes: its next state, why, and from when on it may start again."""

    state: RunState
    reason: Reason | None
    ready_at: datetime | None = None


@dataclass(frozen=True)
class Trouble:
    """Why a try ended badly. `come_back_after` is how long the other side asked to be left alone."""

    reason: Reason
    may_retry: bool = True
    error_class: ErrorClass | None = None
    come_back_after: timedelta | None = None


def after_failure(policy: RetryPolicy, trouble: Trouble, *, attempt: int, chance: float, now: datetime) -> Next:
    """A try ended badly: wait and try again while tries are left, unless trying again cannot help.

    `chance`, from 0 to 1, is where a wait that is spread falls.
    """
    if not (trouble.may_retry and policy.may_retry_on(trouble.error_class) and policy.has_tries_left(attempt)):
        return Next(RunState.FAILED, trouble.reason)
    wait = policy.delay_after(attempt, chance=chance)
    if trouble.come_back_after is None:
        return Next(RunState.WAITING_RETRY, trouble.reason, now + wait)
    # Spread, a break only gets longer: earlier than that the other side was not to be asked.
    spread = chance * wait if policy.has_jitter else timedelta()
    return Next(RunState.WAITING_RETRY, trouble.reason, now + break_of(trouble.come_back_after) + spread)


def break_of(asked: timedelta) -> timedelta:
    """How long somebody is left alone who asked for so long, within reason."""
    return min(max(asked, timedelta()), LONGEST_BREAK)


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


def why_not_again(when_lost: WhenLost) -> str:
    """Why a run that must not be repeated stays as it is, and what a person does about it."""
    if when_lost is WhenLost.FAIL:
        return "Its job says that it then waits for a person. See what it did, and retry it if that is right."
    return (
        "The function is not declared safe to repeat, so it is not started again by itself. "
        "See what it did, and retry it if that is right."
    )


def after_wait(come_back_after: timedelta | None, *, now: datetime) -> Next:
    """It goes on later, without having used a try: when the other side said, or soon.

    Soon is for a worker that lacked the key to a secret: another one may have it, and this one may get it.
    """
    if come_back_after is None:
        return Next(RunState.WAITING_RETRY, Reason.KEY_MISSING, now + WORKER_PAUSE)
    return Next(RunState.WAITING_RETRY, Reason.DEFERRED, now + break_of(come_back_after))


def may_defer_again(*, token: int, attempt: int) -> bool:
    """Whether a run may wait once more without using a try. `token` counts all its attempts, `attempt` its tries."""
    return token - attempt < MOST_DEFERRALS
