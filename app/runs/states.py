"""The states of a run and the moves between them. Pure."""

from enum import StrEnum


class RunState(StrEnum):
    """Where a run stands. A terminal state never changes again."""

    READY = "ready"  # to be started as soon as a slot is free
    RUNNING = "running"  # a worker holds a lease on it
    WAITING = "waiting"  # for another run, without a lease, a slot or a try; the reason says for which
    WAITING_RETRY = "waiting_retry"  # an attempt failed; the next one starts at ready_at
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # with every try used up: the dead letter
    CANCELLED = "cancelled"  # somebody or a policy ended it
    SKIPPED = "skipped"  # never started, because a policy said so
    MISSED = "missed"  # never started, because nobody was there in time


class Trigger(StrEnum):
    """Why a run exists."""

    SCHEDULE = "schedule"  # its slot came
    CATCH_UP = "catch_up"  # its slot came while no scheduler was running
    MANUAL = "manual"  # somebody asked for it
    RETRY = "retry"  # somebody asked for another go at a run that failed
    CHAIN = "chain"  # a run of another job ended, and that job starts this one
    GROUP = "group"  # a run that starts several jobs waits for it


class Via(StrEnum):
    """Through what somebody asked for a run, where it was no page."""

    API = "api"
    TERMINAL = "terminal"


class Source(StrEnum):
    """What a list of runs is narrowed to: why they exist, and through what they were asked for."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch_up"
    MANUAL = "manual"  # somebody asked for it on a page, in the API or in a terminal
    API = "api"  # a program asked for it, also for a retry
    TERMINAL = "terminal"
    AGAIN = "again"  # somebody asked for an older run once more
    RETRY = "retry"
    CHAIN = "chain"
    GROUP = "group"


class Reason(StrEnum):
    """Why a run stands where it stands, when its state alone does not say it."""

    OVERLAP = "overlap"  # the previous run of the schedule is still going, or was
    CHILDREN = "children"  # the runs that it started are still going
    WITH_PARENT = "with_parent"  # the run that started it was cancelled
    REPLACED = "replaced"  # a newer run of its schedule took its place
    CANCELLED = "cancelled"  # a person ended it while it was going on
    GIVEN_UP = "given_up"  # a person decided that it is not tried again
    LOST = "lost"  # its worker died or lost touch, and the job must not be started twice
    LOST_TOO_OFTEN = "lost_too_often"  # so many workers were lost with it that it may be what ends them
    TIMED_OUT = "timed_out"  # it reached its time limit
    ERROR = "error"  # the job itself failed
    KEY_MISSING = "key_missing"  # its worker lacks the key to a secret of the job
    DEFERRED = "deferred"  # whom it asks wants to be left alone for a while; it goes on then, and uses no try
    REMOVED = "removed"  # a person took it out of the queue
    UNREADABLE = "unreadable"  # its row or definition cannot be understood by this version
    NEEDS_CONNECTION = "needs_connection"  # its sync has no account to read from
    JOB_DELETED = "job_deleted"  # its job or schedule is gone
    LEFT_CODE = "left_code"  # its job is no longer in the code
    MISTAKE = "mistake"  # its job has a mistake in the code, so that it could only fail
    ENDLESS = "endless"  # a chain would start jobs that could start it again for ever


# How a run ends or goes on whose worker was lost.
LOSSES = frozenset({Reason.LOST, Reason.LOST_TOO_OFTEN})


class AttemptState(StrEnum):
    """How one try stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    LOST = "lost"  # the worker died or lost its lease; what the attempt did is unknown
    CANCELLED = "cancelled"  # stopped, because somebody cancelled its run; costs no try
    RELEASED = "released"  # handed back unfinished by a worker that stops or lacks something; costs no try


TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.READY: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED}),
    RunState.RUNNING: frozenset(
        {
            RunState.SUCCEEDED,
            RunState.FAILED,
            RunState.WAITING,
            RunState.WAITING_RETRY,
            RunState.READY,
            RunState.CANCELLED,
        }
    ),
    RunState.WAITING: frozenset({RunState.READY, RunState.CANCELLED}),
    RunState.WAITING_RETRY: frozenset({RunState.READY, RunState.CANCELLED, RunState.FAILED}),
}

TERMINAL = frozenset(state for state in RunState if state not in TRANSITIONS)
# A schedule's next slot is in the way of none of these any more.
ACTIVE = frozenset(TRANSITIONS)


def may_move(before: RunState, after: RunState) -> bool:
    """Whether a run in one state may go to the other."""
    return after in TRANSITIONS.get(before, frozenset())


def sources_of(after: RunState) -> tuple[RunState, ...]:
    """The states from which a run may come to this one: the guard of every UPDATE of the ledger."""
    return tuple(state for state, targets in TRANSITIONS.items() if after in targets)
