"""The tick: schedules that are due become runs, and what nobody could run becomes a gap. Safe to run twice."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.db import OUTAGES
from app.core.errors import Invalid
from app.events.service import Topic, append_event
from app.jobs.kinds.base import KindName
from app.jobs.kinds.sync.connection import connection_of, needs_connection, what_to_connect
from app.jobs.models import Job
from app.jobs.policies import Priority
from app.jobs.queries import retry_policy_of
from app.runs import cursors, ledger
from app.runs.cursors import WrongCursor
from app.runs.due_schedules import DueSchedules, lock_due_schedule, lock_due_schedules
from app.runs.facts import RunRequest
from app.runs.slot_decisions import Circumstances, Decision, decide_all, replacing_words, runs_of
from app.runs.slot_writes import SlotWrite, active_runs, write_slots
from app.runs.states import TERMINAL, Reason, RunState, Trigger, Via
from app.schedules.clock_steps import absence_now
from app.schedules.models import Schedule
from app.schedules.slot_accounts import DOWNTIME, Absence, CursorBetweenSlots
from app.schedules.stops import stops_since

log = logging.getLogger(__name__)

# One transaction holds at most this many schedules: enough that its statements cost little for each, few enough that
# on SQLite, with its one writer, pages get their turn in between.
BATCH = 2_000


@dataclass(frozen=True)
class Tick:
    """What one pass did. `runs` counts those that are ready, or will be by themselves."""

    schedules: int
    runs: int

    @property
    def is_full(self) -> bool:
        """Whether there may be more that is due."""
        return self.schedules == BATCH


def tick(session: Session, *, now: datetime, absence: Absence = DOWNTIME, is_careful: bool = True) -> Tick:
    """Plan one batch of the schedules that are due, the longest waiting first. Nothing while scheduling is stopped.

    `absence` is why slots that are long past have not been planned yet. Unless it is careful, which takes a moment
    longer, one schedule that the database refuses fails all of them, and then nothing is written.
    """
    due = lock_due_schedules(session, now=now, limit=BATCH)
    # Found unreadable, none of them says so.
    has_stops = bool(due.unreadable) or any(schedule.may_have_been_stopped for schedule in due.read)
    stops = stops_since(session) if has_stops else []
    if any(stop.is_open for stop in stops):
        # What no page can show is mended also while nothing is planned.
        _mend_due(session, due, now)
        return Tick(0, 0)
    return Tick(len(due), _plan(session, due, Circumstances(stops, absence, now), is_careful=is_careful))


def plan_schedule(session: Session, *, organization_id: UUID, schedule_id: UUID, now: datetime) -> int:
    """Plan what is due of one schedule, before somebody changes it. Returns the number of runs made.

    While scheduling is stopped none are: what is due lies in a gap then.
    """
    # What follows sets the next time anew, so one that is wrong is worked out now or never.
    wrong = cursors.look_at(session, organization_id=organization_id, schedule_id=schedule_id, now=now)
    mend(session, wrong, now=now)
    made = 0
    # What the first round mends may be due as well.
    for _ in range(2):
        due = lock_due_schedule(session, organization_id=organization_id, schedule_id=schedule_id, now=now)
        if not due:
            break
        made += _plan(session, due, Circumstances(stops_since(session), absence_now(session, now=now), now))
    # Written past the session, which may hold the schedule from before.
    loaded = session.identity_map.get(session.identity_key(Schedule, schedule_id))
    if loaded is not None:
        session.expire(loaded)
    return made


def mend(session: Session, wrong: Sequence[WrongCursor], *, now: datetime) -> None:
    """Set the next time of these schedules right, each for itself."""
    for found in wrong:
        _repair(session, found.schedule_id, found.problem, now)


def _plan(session: Session, due: DueSchedules, here: Circumstances, *, is_careful: bool = True) -> int:
    _mend_due(session, due, here.now)
    decisions, refused = decide_all(due.sound, here)
    for schedule, error in refused:
        if isinstance(error, CursorBetweenSlots):
            _repair(session, UUID(schedule.key), cursors.IMPOSSIBLE, here.now)
        else:
            _set_aside(session, UUID(schedule.key), error, here.now)
    writes = with_overlap(session, decisions, now=here.now)
    if writes and is_careful:
        _write(session, writes, here.now)
    elif writes:
        write_slots(session, writes, now=here.now)
    return sum(run.state not in TERMINAL for write in writes for run in write.runs)


def _mend_due(session: Session, due: DueSchedules, now: datetime) -> None:
    for schedule_id in due.unreadable:
        _repair(session, schedule_id, cursors.UNREADABLE, now)
    for schedule in due.impossible:
        _repair(session, UUID(schedule.key), cursors.IMPOSSIBLE, now)


def with_overlap(session: Session, decisions: Sequence[Decision], *, now: datetime) -> list[SlotWrite]:
    """What is written of each schedule, seen what still goes on of it."""
    asking = [each.key for each in decisions if each.asks_for_others]
    in_the_way = active_runs(session, asking) if asking else {}
    writes = []
    for each in decisions:
        ahead = in_the_way.get(each.key)
        replaces = replacing_words(each.account) if each.replaces(ahead) else None
        runs = runs_of(each, ahead, now=now)
        writes.append(SlotWrite(each.key, each.account.following, runs, each.account.gaps, replaces))
    return writes


def _write(session: Session, writes: list[SlotWrite], now: datetime) -> None:
    try:
        with session.begin_nested():
            write_slots(session, writes, now=now)
    except OUTAGES:
        # The database, not a row: the whole batch is tried again.
        raise
    except Exception:
        log.exception("a batch of slots was refused, so each is written by itself")
        for write in writes:
            _guarded(session, UUID(write.key), now, partial(write_slots, session, [write], now=now))


def _repair(session: Session, schedule_id: UUID, problem: str, now: datetime) -> None:
    _guarded(session, schedule_id, now, partial(cursors.repair, session, schedule_id, problem=problem, now=now))


def _guarded(session: Session, schedule_id: UUID, now: datetime, work: Callable[[], object]) -> None:
    """Do it; when it fails because of this one schedule, take nothing of it and set the schedule aside."""
    try:
        with session.begin_nested():
            work()
    except OUTAGES:
        raise
    except Exception as error:
        log.exception("a schedule cannot be planned", extra={"schedule_id": str(schedule_id)})
        _set_aside(session, schedule_id, error, now)


def _set_aside(session: Session, schedule_id: UUID, error: Exception, now: datetime) -> None:
    """Whatever is wrong with one row must not stop the others: it is planned no more, and says why."""
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
        data={"text": problem},
    )


def open_or_skip(session: Session, request: RunRequest, *, now: datetime) -> UUID | None:
    """Add a run that somebody asked for; skipped, saying what to do, when it lacks a connection."""
    if not needs_connection(request.kind.value, connection_of(request.definition)):
        return ledger.open_run(session, request, now=now)
    explanation = what_to_connect(request.definition)
    reason = Reason.NEEDS_CONNECTION
    return ledger.open_run(session, request, now=now, state=RunState.SKIPPED, reason=reason, explanation=explanation)


def request_for(
    job: Job,
    *,
    trigger: Trigger,
    due_at: datetime,
    schedule_id: UUID | None = None,
    slot_at: datetime | None = None,
    requested_by: UUID | None = None,
    requested_via: Via | None = None,
    request_key: str | None = None,
    retry_of_run_id: UUID | None = None,
    parent_run_id: UUID | None = None,
    cause_run_id: UUID | None = None,
) -> RunRequest:
    """A run of a job as it is defined now."""
    return RunRequest(
        organization_id=job.organization_id,
        job_id=job.id,
        job_name=job.name,
        kind=KindName(job.kind),
        definition=job.definition,
        retry=retry_policy_of(job),
        soft_limit_seconds=job.soft_limit_seconds,
        time_limit_seconds=job.time_limit_seconds,
        queue=job.queue or job.kind,
        priority=Priority(job.priority),
        trigger=trigger,
        due_at=due_at,
        schedule_id=schedule_id,
        slot_at=slot_at,
        requested_by=requested_by,
        requested_via=requested_via,
        request_key=request_key,
        retry_of_run_id=retry_of_run_id,
        parent_run_id=parent_run_id,
        cause_run_id=cause_run_id,
    )
