"""What an answer to “why?” is made of: the reason for programs, the words for people. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from app.core.lengths import duration


class WhyCode(StrEnum):
    """What holds a schedule or a run back, or that nothing does."""

    # Schedules.
    LEFT_CODE = "left_code"  # it is no longer defined in code
    PAUSED = "paused"  # somebody switched it off, or nobody switched it on
    SET_ASIDE = "set_aside"  # it cannot be read
    NEEDS_CONNECTION = "needs_connection"  # there is nothing to sync from yet
    SCHEDULING_STOPPED = "scheduling_stopped"  # a platform admin stopped all scheduling
    CLOCK_SET = "clock_set"  # planning waits for a moment, because the database's clock was set
    SCHEDULER_SILENT = "scheduler_silent"  # no scheduler keeps time
    NEVER = "never"  # its rhythm has no time ahead any more
    GAP = "gap"  # its last slots lie in a gap
    SKIPPED = "skipped"  # a policy left it out
    MISSED = "missed"  # nobody was there in time
    CANCELLED = "cancelled"  # somebody or a policy ended it
    ON_REQUEST = "on_request"  # it has no times of its own
    NOT_DUE = "not_due"  # its time has not come
    DUE = "due"  # its time came a moment ago
    # Both.
    PREVIOUS_RUN = "previous_run"  # an earlier run of the schedule has no end yet
    RUNNING = "running"  # it runs
    RAN = "ran"  # it ran
    # Runs.
    QUEUE_PAUSED = "queue_paused"  # a platform admin paused its queue
    NO_WORKER = "no_worker"  # no worker serves its queue
    WORKER_PROBLEM = "worker_problem"  # those that do start nothing
    CONNECTION_RATE_LIMITED = "connection_rate_limited"  # the outside account takes no calls for a while
    DEFERRED = "deferred"  # whom it asks wanted to be left alone for a while, and it goes on then
    CONNECTION_LIMIT = "connection_limit"  # as many runs as it allows are going on
    JOB_LIMIT = "job_limit"  # as many runs of the job as may be are going on
    ORGANIZATION_LIMIT = "organization_limit"  # the same of the organization
    QUEUE_LIMIT = "queue_limit"  # the same of the queue
    QUEUE_RATE = "queue_rate"  # as many as may start in a while have started
    WORKERS_BUSY = "workers_busy"  # no slot is free
    CHILDREN = "children"  # the runs that it started are still going
    NEXT_TRY = "next_try"  # its next try has its time
    STARTING = "starting"  # nothing holds it back


# Nothing is wrong, and nothing is to be done.
QUIET = frozenset({WhyCode.ON_REQUEST, WhyCode.NOT_DUE, WhyCode.DUE, WhyCode.RUNNING, WhyCode.RAN, WhyCode.STARTING})


@dataclass(frozen=True)
class Why:
    """One cause: what it is, in words, and what the words name.

    `position` is the place in the organization's own line, `before` how many runs of all organizations start first.
    `run_id` is the run in the way, `waiting_run_id` the one that waits, where a schedule was asked about. `also` are
    further causes, each of which would hold it back alone.
    """

    code: WhyCode
    words: str
    since: datetime | None = None
    until: datetime | None = None
    by: str | None = None
    limit: int | None = None
    taken: int | None = None
    position: int | None = None
    before: int | None = None
    run_id: UUID | None = None
    waiting_run_id: UUID | None = None
    also: "tuple[Why, ...]" = ()

    @property
    def holds(self) -> bool:
        """Whether something holds it back."""
        return self.code not in QUIET


@dataclass(frozen=True)
class Telling:
    """How an answer tells its moments: by a clock of the reader's, as of now."""

    now: datetime
    at: Callable[[datetime], str]

    def length_since(self, moment: datetime) -> str:
        """“12 min”, for what began then."""
        return duration(max(self.now - moment, self.now - self.now))


def in_utc(now: datetime) -> Telling:
    """For programs and terminals."""
    return Telling(now, lambda moment: f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


def first_of(causes: Iterable[Why]) -> Why:
    """The first cause, with the others behind it."""
    first, *others = causes
    return replace(first, also=tuple(others))
