"""How an organization fares, at one glance: for the first page, the API and the command line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.ops.heartbeats import list_processes, slots_alive
from app.ops.organization_hours import OrganizationHours, hours_around
from app.ops.schedule_glances import Glance, failed_before
from app.ops.schedule_health import ScheduleHealth
from app.runs.queries import RunRow
from app.runs.run_hours import HOUR, NOTHING, RATE_WINDOW, Counts, hours_of_organization
from app.runs.run_lists import list_dead_letters
from app.runs.states import RunState
from app.runs.statistics import count_queue
from app.schedules.load import LoadMap
from app.schedules.queries import ScheduleRow, list_these_schedules

# Failures of one schedule are told once; this many are looked at to find out since when.
MOST_FAILED = 100
MOST_TROUBLES = 5
# Of more failing schedules than this, nobody asks since when each one is.
_MOST_COMPARED = 200


@dataclass(frozen=True)
class Trouble:
    """One thing that needs a person. Schedule, late or runs says which; without any, no worker is there.

    `since` is None where nobody knows. `runs` are the failed runs of one schedule or job, the newest first.
    """

    since: datetime | None = None
    schedule: ScheduleRow | None = None
    late: Glance | None = None
    runs: tuple[RunRow, ...] = ()

    @property
    def facts(self) -> "TroubleFacts":
        """The same for programs and terminals."""
        if self.runs:
            run = self.runs[0]
            return TroubleFacts("failed", run.schedule_name or run.job_name, run.error or "", run.schedule_id, run.id)
        if self.schedule is not None:
            return TroubleFacts("broken", self.schedule.name, self.schedule.problem or "", self.schedule.id)
        if self.late is not None:
            return TroubleFacts("late", self.late.name, "It is due and has not started.", self.late.id)
        return TroubleFacts("no_worker", "", "No worker is running, and runs wait. Start one with: belfry up")


@dataclass(frozen=True)
class TroubleFacts:
    """What it is: `failed`, `broken`, `late` or `no_worker`."""

    kind: str
    name: str
    text: str
    schedule_id: UUID | None = None
    run_id: UUID | None = None


@dataclass(frozen=True)
class Situation:
    """The figures. `ended` and `ended_before` are of the last seven days and of the seven before those."""

    enabled: int
    total: int
    ended: Counts
    ended_before: Counts
    failing: int
    failing_new: int
    running: int
    waiting: int
    slots: int
    dead: int
    next_run: Glance | None
    troubles: tuple[Trouble, ...]
    hours: OrganizationHours


def read_situation(
    session: Session,
    glances: Sequence[Glance],
    *,
    organization_id: UUID,
    load: LoadMap,
    is_stopped: bool,
    today: datetime,
    now: datetime,
) -> Situation:
    """How it stands, over all schedules, which the caller has read. `today` is when the reader's day began."""
    ended = hours_of_organization(session, organization_id=organization_id, since=now - 2 * RATE_WINDOW)
    week = int((now - RATE_WINDOW).timestamp()) // HOUR
    counts = count_queue(session, organization_id=organization_id)
    slots = slots_alive(list_processes(session, now=now), now=now)
    failing = [one.id for one in glances if one.health is ScheduleHealth.FAILING]
    old = failed_before(session, schedule_ids=failing[:_MOST_COMPARED], moment=today, now=now)
    coming = [one for one in glances if one.next_run_at is not None]
    return Situation(
        enabled=sum(one.enabled for one in glances),
        total=len(glances),
        ended=_sum(counts for hour, counts in ended.items() if hour >= week),
        ended_before=_sum(counts for hour, counts in ended.items() if hour < week),
        failing=len(failing),
        failing_new=len(failing[:_MOST_COMPARED]) - len(old),
        running=counts[RunState.RUNNING],
        waiting=counts[RunState.READY],
        slots=slots,
        dead=counts[RunState.FAILED],
        next_run=None if is_stopped else min(coming, key=lambda one: one.next_run_at or now, default=None),
        troubles=_troubles(session, glances, organization_id, idle=counts[RunState.READY] and not slots, now=now),
        hours=hours_around(ended, load, is_stopped=is_stopped, now=now),
    )


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, NOTHING)


def _troubles(
    session: Session, glances: Sequence[Glance], organization_id: UUID, *, idle: object, now: datetime
) -> tuple[Trouble, ...]:
    """The worst first: nothing works, schedules that cannot run, what failed, what is late."""
    broken = [one.id for one in glances if one.health is ScheduleHealth.UNREADABLE][:MOST_TROUBLES]
    rows = list_these_schedules(session, organization_id=organization_id, schedule_ids=broken) if broken else []
    failed: dict[UUID, list[RunRow]] = {}
    for run in list_dead_letters(session, organization_id=organization_id, limit=MOST_FAILED):
        failed.setdefault(run.schedule_id or run.job_id, []).append(run)
    late = [one for one in glances if one.health is ScheduleHealth.LATE]
    found = [Trouble()] if idle else []
    found += [Trouble(schedule=row) for row in rows]
    found += [Trouble(runs=tuple(runs), since=runs[-1].finished_at) for runs in failed.values()]
    found += [Trouble(late=one, since=_due_since(one, now)) for one in late]
    return tuple(found[:MOST_TROUBLES])


def _due_since(one: Glance, now: datetime) -> datetime | None:
    return one.next_run_at if one.next_run_at is not None and one.next_run_at < now else None
