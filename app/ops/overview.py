"""How an organization fares, at one glance: for the first page, the API and the command line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.ops.heartbeats import list_processes, slots_alive
from app.ops.needs_attention import Troubles, read_troubles
from app.ops.organization_hours import OrganizationHours, hours_around
from app.ops.schedule_glances import Glance, failed_before
from app.ops.schedule_health import ScheduleHealth
from app.runs.run_hours import HOUR, NOTHING, RATE_WINDOW, Counts, hours_of_organization
from app.runs.states import RunState
from app.runs.statistics import count_queue
from app.schedules.load import LoadMap

# Of more failing schedules than this, nobody asks since when each one is.
_MOST_COMPARED = 200


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
    troubles: Troubles
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
    old = failed_before(session, schedule_ids=failing[:_MOST_COMPARED], moment=today)
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
        troubles=read_troubles(
            session,
            glances,
            organization_id=organization_id,
            is_unmanned=counts[RunState.READY] > 0 and slots == 0,
            has_dead=counts[RunState.FAILED] > 0,
            now=now,
        ),
        hours=hours_around(ended, load, is_stopped=is_stopped, now=now),
    )


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, NOTHING)
