"""What needs a person, the worst first: told by how each schedule fares now, not by what once failed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from app.ops.gap_words import GAP_REASONS
from app.ops.schedule_glances import Glance, by_attention
from app.ops.schedule_health import ScheduleHealth
from app.runs.failed_rows import NO_JOBS, FailedRow, failed_by_job, failed_by_schedule
from app.schedules.gaps import GapRow, newest_missed
from app.schedules.queries import ScheduleRow, list_these_schedules

MOST_TROUBLES = 5
# In this order, which is that of the list of schedules.
_BROKEN = (ScheduleHealth.UNREADABLE, ScheduleHealth.FAILING, ScheduleHealth.LATE)


@dataclass(frozen=True)
class Trouble:
    """One thing that needs a person; without anything else, no worker is there.

    `since` is None where nobody knows. `row` is a schedule that cannot run, `failed` are the failed runs of the
    schedule, or of a job without one, and `missed` are slots of the schedule that nobody executed.
    """

    since: datetime | None = None
    schedule: Glance | None = None
    row: ScheduleRow | None = None
    failed: FailedRow | None = None
    missed: GapRow | None = None

    @property
    def facts(self) -> "TroubleFacts":
        """The same for programs and terminals."""
        name, schedule_id = ("", None) if self.schedule is None else (self.schedule.name, self.schedule.id)
        if self.failed is not None and self.failed.newest is not None:
            run = self.failed.newest
            named = run.schedule_name or run.job_name
            return TroubleFacts(
                "failed", named, run.error or "", run.schedule_id, run.id, self.failed.runs, self.failed.is_cut
            )
        if self.row is not None:
            return TroubleFacts("broken", name, self.row.problem or "", schedule_id)
        if self.schedule is None:
            return TroubleFacts("no_worker", "", "No worker is running, and runs wait. Start one with: belfry up")
        if self.missed is not None:
            return TroubleFacts("missed", name, missed_words(self.missed), schedule_id)
        if self.schedule.health is ScheduleHealth.FAILING:
            return TroubleFacts("failed", name, "Its last run failed.", schedule_id)
        return TroubleFacts("late", name, "It is due and has not started.", schedule_id)


@dataclass(frozen=True)
class TroubleFacts:
    """What it is: `failed`, `missed`, `broken`, `late` or `no_worker`. `is_cut` says that more runs failed."""

    kind: str
    name: str
    text: str
    schedule_id: UUID | None = None
    run_id: UUID | None = None
    failed_runs: int = 0
    is_cut: bool = False


@dataclass(frozen=True)
class Troubles:
    """Some of them, and how many more there are: schedules, and jobs with failed runs that are of no schedule."""

    shown: tuple[Trouble, ...] = ()
    more_schedules: int = 0
    more_jobs: int = 0

    @property
    def more(self) -> int:
        return self.more_schedules + self.more_jobs


def read_troubles(
    session: Session,
    glances: Sequence[Glance],
    *,
    organization_id: UUID,
    is_unmanned: bool,
    has_dead: bool,
    now: datetime,
) -> Troubles:
    """Nothing works, then schedules by how they fare, then failed runs by hand. Six statements at most.

    `is_unmanned` says that runs wait and no worker is there, `has_dead` that there are dead letters.
    """
    wanted = MOST_TROUBLES - is_unmanned
    schedules = by_attention(one for one in glances if one.health in _BROKEN)
    shown = schedules[:wanted]
    room = wanted - len(shown)
    jobs = failed_by_job(session, organization_id=organization_id, limit=MOST_TROUBLES) if has_dead else NO_JOBS
    found = [Trouble()] if is_unmanned else []
    found += _of_schedules(session, shown, organization_id, now)
    found += [Trouble(failed=row, since=row.since) for row in islice(jobs.rows, room)]
    return Troubles(tuple(found), len(schedules) - len(shown), max(jobs.all - room, 0))


def missed_words(gap: GapRow) -> str:
    """How many slots, and why."""
    slots = "1 slot was" if gap.slots == 1 else f"{gap.slots:,} slots were"
    return f"{slots} missed: {(gap.explanation or GAP_REASONS[gap.reason]).rstrip('.')}."


def _of_schedules(session: Session, shown: Sequence[Glance], organization_id: UUID, now: datetime) -> Iterator[Trouble]:
    by_health = {health: [one.id for one in shown if one.health is health] for health in _BROKEN}
    broken = list_these_schedules(
        session, organization_id=organization_id, schedule_ids=by_health[ScheduleHealth.UNREADABLE]
    )
    rows = {row.id: row for row in broken}
    failing = by_health[ScheduleHealth.FAILING]
    failed = failed_by_schedule(session, organization_id=organization_id, schedule_ids=failing)
    spotless = [each for each in failing if each not in failed or failed[each].newest is None]
    missed = newest_missed(session, organization_id=organization_id, schedule_ids=spotless)
    for one in shown:
        if one.id in rows:
            yield Trouble(schedule=one, row=rows[one.id])
        elif one.id in missed:
            yield Trouble(schedule=one, missed=missed[one.id][0], since=missed[one.id][0].first_slot_at)
        elif one.id in failed:
            yield Trouble(schedule=one, failed=failed[one.id], since=failed[one.id].since)
        else:
            yield Trouble(schedule=one, since=_due_since(one, now))


def _due_since(one: Glance, now: datetime) -> datetime | None:
    return one.next_run_at if one.next_run_at is not None and one.next_run_at < now else None
