"""The tick: schedules that are due become runs, and what nobody could run becomes a gap. Safe to run twice."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.db import OUTAGES
from app.core.errors import Invalid
from app.events.service import Topic, append_event
from app.jobs.kinds.base import KindName
from app.jobs.kinds.sync.connection import needs_connection, what_to_connect
from app.jobs.models import Job
from app.jobs.policies import Backoff, RetryPolicy
from app.runs import ledger
from app.runs.ledger import RunRequest
from app.runs.models import Run
from app.runs.states import Reason, RunState, Trigger
from app.schedules.fire_times import MOMENT, Rhythm, count_fires, last_fire, next_fire
from app.schedules.models import Schedule, is_planned
from app.schedules.policies import GapReason, Missed, Overlap, SlotPlan, plan_due_slots
from app.schedules.service import record_gap, rhythm_of
from app.schedules.stops import SchedulingStopRow, Stretch, cut_by_stops, stops_since

log = logging.getLogger(__name__)

# One transaction holds at most this many schedules, so that pages get their turn in between.
BATCH = 50


@dataclass(frozen=True)
class Tick:
    """What one pass did."""

    schedules: int
    runs: int

    @property
    def is_full(self) -> bool:
        """Whether there may be more that is due."""
        return self.schedules == BATCH


def tick(session: Session, *, now: datetime) -> Tick:
    """Plan one batch of the schedules that are due, the longest waiting first. Nothing while scheduling is stopped."""
    query = (
        select(Schedule.id)
        .where(*is_planned(), Schedule.next_run_at <= now)
        .order_by(Schedule.next_run_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    # Only ids are read here: a row that cannot be loaded would take the whole batch with it.
    due = session.scalars(query).all()
    stops = stops_since(session) if due else []
    if any(stop.is_open for stop in stops):
        return Tick(0, 0)
    return Tick(len(due), sum(_plan_or_set_aside(session, schedule_id, stops, now) for schedule_id in due))


def plan_schedule(session: Session, *, organization_id: UUID, schedule_id: UUID, now: datetime) -> int:
    """Plan what is due of one schedule, before somebody changes it. Returns the number of runs made.

    While scheduling is stopped none are: what is due lies in a gap then.
    """
    query = select(Schedule.id).where(
        Schedule.id == schedule_id,
        Schedule.organization_id == organization_id,
        *is_planned(),
        Schedule.next_run_at <= now,
    )
    found = session.scalar(query.with_for_update())
    return 0 if found is None else _plan_or_set_aside(session, schedule_id, stops_since(session), now)


def _plan_or_set_aside(session: Session, schedule_id: UUID, stops: Sequence[SchedulingStopRow], now: datetime) -> int:
    try:
        with session.begin_nested():
            schedule = session.get_one(Schedule, schedule_id, populate_existing=True)
            return _plan(session, schedule, rhythm_of(schedule), stops, now)
    except OUTAGES:
        # The database, not the row: the whole batch is tried again.
        raise
    except Exception as error:
        # Whatever is wrong with one row must not stop the others: it is set aside, and says why.
        log.exception("schedule set aside", extra={"schedule_id": str(schedule_id)})
        _set_aside(session, schedule_id, error, now)
        return 0


def _set_aside(session: Session, schedule_id: UUID, error: Exception, now: datetime) -> None:
    problem = error.message if isinstance(error, Invalid) else f"This schedule cannot be read: {error}"
    query = update(Schedule).where(Schedule.id == schedule_id).values(problem=problem)
    organization_id = session.scalars(query.returning(Schedule.organization_id)).one()
    append_event(
        session,
        organization_id=organization_id,
        topic=Topic.SCHEDULES,
        kind="schedule.set_aside",
        subject_id=schedule_id,
        now=now,
    )


def _plan(session: Session, schedule: Schedule, when: Rhythm, stops: Sequence[SchedulingStopRow], now: datetime) -> int:
    cursor = schedule.next_run_at
    assert cursor is not None, "only due schedules are planned, and those have a cursor"
    # The row is locked since it was chosen as due, so nobody else moves this cursor meanwhile.
    following = next_fire(when, after=now)
    session.execute(update(Schedule).where(Schedule.id == schedule.id).values(next_run_at=following))
    due = []
    for stretch in cut_by_stops(stops, since=cursor, until=now):
        if stretch.stop is None:
            due.append(stretch)
        else:
            _record_stop(session, schedule, when, stretch, stretch.stop, now)
    # A cursor is a slot even where the rules of its zone have changed since.
    otherwise = cursor if due and due[0].since == cursor else None
    return _plan_due(session, schedule, when, due, otherwise, now)


def _record_stop(
    session: Session, schedule: Schedule, when: Rhythm, stretch: Stretch, stop: SchedulingStopRow, now: datetime
) -> None:
    # As after a pause: whoever stopped everything did not want it done later, all at once.
    record_gap(
        session,
        schedule=schedule,
        when=when,
        since=stretch.since,
        until=stretch.until,
        reason=GapReason.SCHEDULING_STOPPED,
        explanation=stop.explanation,
        now=now,
    )


def _plan_due(
    session: Session, schedule: Schedule, when: Rhythm, due: Sequence[Stretch], cursor: datetime | None, now: datetime
) -> int:
    """Let the policy decide about the slots of these stretches, of which there is mostly one."""
    found = [last_fire(when, after=stretch.since - MOMENT, until=stretch.until) for stretch in due]
    latest = max((slot for slot in found if slot is not None), default=cursor)
    if latest is None:
        return 0
    plan = plan_due_slots(
        Missed(schedule.missed),
        latest=latest,
        count=sum(count_fires(when, after=stretch.since - MOMENT, until=stretch.until) for stretch in due),
        max_age=timedelta(seconds=schedule.missed_max_age_seconds),
        now=now,
    )
    if plan.slots_in_gap:
        end, reason = latest - MOMENT if plan.runs_latest else now, GapReason.SCHEDULER_DOWN
        for stretch in due:
            until = min(stretch.until, end)
            record_gap(session, schedule=schedule, when=when, since=stretch.since, until=until, reason=reason, now=now)
    return _open_slot(session, schedule, latest, plan, now) if plan.runs_latest else 0


def _open_slot(session: Session, schedule: Schedule, slot_at: datetime, plan: SlotPlan, now: datetime) -> int:
    job = session.get_one(Job, schedule.job_id)
    request = request_for(
        job,
        trigger=Trigger.CATCH_UP if plan.is_catch_up else Trigger.SCHEDULE,
        due_at=slot_at,
        schedule_id=schedule.id,
        slot_at=slot_at,
    )
    if needs_connection(job.kind):
        open_or_skip(session, request, now=now)
        return 0
    in_the_way = _active_run(session, schedule.id) if schedule.overlap == Overlap.SKIP.value else None
    if in_the_way is None:
        return int(ledger.open_run(session, request, now=now) is not None)
    explanation = f"The previous run was still going ({in_the_way}), and this schedule does not run twice at once."
    ledger.open_run(session, request, now=now, state=RunState.SKIPPED, reason=Reason.OVERLAP, explanation=explanation)
    return 0


def open_or_skip(session: Session, request: RunRequest, *, now: datetime) -> UUID | None:
    """Add a run that somebody asked for or whose slot came; skipped, saying what to do, when it lacks a connection."""
    if not needs_connection(request.kind.value):
        return ledger.open_run(session, request, now=now)
    explanation = what_to_connect(request.definition)
    reason = Reason.NEEDS_CONNECTION
    return ledger.open_run(session, request, now=now, state=RunState.SKIPPED, reason=reason, explanation=explanation)


def _active_run(session: Session, schedule_id: UUID) -> UUID | None:
    # A run has an end exactly when its state is terminal, and by its end the index leads straight to the few without.
    query = select(Run.id).where(Run.schedule_id == schedule_id, Run.finished_at.is_(None))
    return session.scalar(query.limit(1))


def request_for(
    job: Job,
    *,
    trigger: Trigger,
    due_at: datetime,
    schedule_id: UUID | None = None,
    slot_at: datetime | None = None,
    requested_by: UUID | None = None,
    request_key: str | None = None,
    retry_of_run_id: UUID | None = None,
) -> RunRequest:
    """A run of a job as it is defined now."""
    return RunRequest(
        organization_id=job.organization_id,
        job_id=job.id,
        job_name=job.name,
        kind=KindName(job.kind),
        definition=job.definition,
        retry=RetryPolicy(job.tries, job.retry_delay_seconds, Backoff(job.retry_backoff)),
        time_limit_seconds=job.time_limit_seconds,
        trigger=trigger,
        due_at=due_at,
        schedule_id=schedule_id,
        slot_at=slot_at,
        requested_by=requested_by,
        request_key=request_key,
        retry_of_run_id=retry_of_run_id,
    )
