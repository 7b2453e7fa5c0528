"""What is known of a run, a schedule and the work around them, when somebody asks why. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.runs.states import Reason, RunState
from app.runs.switches import QueueSwitchRow
from app.schedules.clock_steps import HeldByClock
from app.schedules.policies import GapReason
from app.schedules.stops import SchedulingStopRow


@dataclass(frozen=True)
class Rate:
    """How many may start in so many seconds, and how many were left when that was last written down."""

    starts: int
    seconds: int
    tokens: float
    tokens_at: datetime | None

    def left(self, now: datetime) -> float:
        """How many may start now."""
        if self.tokens_at is None:
            return float(self.starts)
        gained = max(0.0, (now - self.tokens_at).total_seconds()) * self.starts / self.seconds
        return min(float(self.starts), self.tokens + gained)


@dataclass(frozen=True)
class Limits:
    """How many runs may go on at once. None: any number."""

    queue: int | None = None
    job: int | None = None
    connection: int | None = None
    organization: int | None = None


@dataclass(frozen=True)
class RateLimited:
    """Until when the outside account takes no calls, and what it said."""

    until: datetime
    explanation: str | None


@dataclass(frozen=True)
class Obstacle:
    """An earlier run of the same schedule without an end."""

    run_id: UUID
    created_at: datetime
    started_at: datetime | None


@dataclass(frozen=True)
class RunFacts:
    """A run, and what its own organization may know of why it waits. `place` counts from 1."""

    id: UUID
    organization_id: UUID
    job_id: UUID
    queue: str
    connection_key: str | None
    state: RunState
    reason: Reason | None
    error: str | None
    due_at: datetime
    ready_at: datetime
    started_at: datetime | None
    is_hinted: bool
    place: int
    limits: Limits = Limits()
    rate: Rate | None = None
    pause: QueueSwitchRow | None = None
    rate_limited: RateLimited | None = None
    obstacle: Obstacle | None = None
    children: int = 0
    children_left: int = 0
    # Where its job is defined in code; nothing for one that people made.
    job_source: str | None = None


@dataclass(frozen=True)
class Active:
    """A run of anybody's that takes a place: it is going on at a worker, or a worker was called for it."""

    organization_id: UUID
    queue: str
    job_id: UUID
    connection_key: str | None
    worker: str | None


@dataclass(frozen=True)
class Line:
    """How many runs of one organization wait in the queue."""

    organization_id: UUID
    waiting: int


@dataclass(frozen=True)
class Traffic:
    """What goes on in all organizations. Numbers alone may be told of it."""

    active: Sequence[Active] = ()
    lines: Sequence[Line] = ()


@dataclass(frozen=True)
class LastSlot:
    """What became of the last slot of a schedule: a run, or a gap that it lies in."""

    at: datetime
    state: RunState | None = None
    reason: Reason | None = None
    error: str | None = None
    gap: GapReason | None = None
    gap_first_at: datetime | None = None
    gap_slots: int = 0
    gap_explanation: str | None = None


@dataclass(frozen=True)
class ScheduleFacts:
    """A schedule, and what its own organization may know of why it does not run. `run` is one without an end.

    `is_untouched` says that it is as it was made: nobody has edited it or switched it.
    """

    enabled: bool
    problem: str | None
    is_manual: bool
    cursor: datetime | None
    created_at: datetime
    to_connect: str = ""
    switched_at: datetime | None = None
    switched_by: str | None = None
    is_of_code: bool = False
    is_untouched: bool = False
    left_code_at: datetime | None = None
    job_left_at: datetime | None = None
    stop: SchedulingStopRow | None = None
    hold: HeldByClock | None = None
    last: LastSlot | None = None
    run: RunFacts | None = None
