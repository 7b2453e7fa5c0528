"""Reads what an organization may know of one of its schedules, with the run of it that has no end yet."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    case,
    cast,
    func,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from app.core.db import OUTAGES
from app.jobs.kinds.sync.connection import needs_connection, what_to_connect
from app.jobs.models import Job, connection_of_job
from app.ops.why.facts import LastSlot, ScheduleFacts
from app.ops.why.run_reads import columns_of_run, facts_of_run, with_surroundings
from app.runs.models import Run, in_state
from app.runs.states import Reason, RunState
from app.schedules.clock_steps import HeldByClock, words_for
from app.schedules.cron import CronInvalid, parse_cron
from app.schedules.models import ClockStepSeen, Gap, Schedule, SchedulingStop
from app.schedules.policies import GapReason
from app.schedules.queries import NO_TIME_TO_READ, ScheduleNotFound
from app.schedules.stops import SchedulingStopRow

log = logging.getLogger(__name__)

# Each is a part of the statement, and a statement has its limits.
_AT_ONCE = 50
_LAST = aliased(Run, name="last_run")


def read_schedule_facts(
    session: Session, *, organization_id: UUID, schedule_ids: Sequence[UUID], now: datetime
) -> dict[UUID, ScheduleFacts]:
    """In one statement for fifty of them. Raises ScheduleNotFound, also for a schedule of somebody else."""
    found: dict[UUID, ScheduleFacts] = {}
    for first in range(0, len(schedule_ids), _AT_ONCE):
        some = schedule_ids[first : first + _AT_ONCE]
        found.update(_read_some(session, some, organization_id=organization_id, now=now))
    return found


def _read_some(
    session: Session, schedule_ids: Sequence[UUID], *, organization_id: UUID, now: datetime
) -> dict[UUID, ScheduleFacts]:
    which: dict[str, Any] = {"organization_id": organization_id, "now": now}
    try:
        rows = _read(session, Schedule.next_run_at, schedule_ids, **which)
        return {schedule_id: _facts(row, now) for schedule_id, row in rows.items()}
    except (*OUTAGES, ScheduleNotFound):
        raise
    except Exception as error:  # noqa: BLE001 - said where the schedule is listed
        if len(schedule_ids) > 1:
            # One of them at least, and only that one must not have its time.
            found = [_read_some(session, [each], **which) for each in schedule_ids]
            return {schedule_id: facts for each in found for schedule_id, facts in each.items()}
        log.error("a schedule's next time cannot be read", extra={"problem": repr(error)})
    (row,) = _read(session, cast(null(), Schedule.next_run_at.type), schedule_ids, **which).values()
    facts = _facts(row, now)
    return {schedule_ids[0]: replace(facts, problem=facts.problem or NO_TIME_TO_READ)}


def _read(
    session: Session, cursor: SQLColumnExpression[Any], schedule_ids: Sequence[UUID], *, organization_id: UUID,
    now: datetime,
) -> dict[UUID, Row[Any]]:  # fmt: skip
    queries = [_query(cursor, organization_id, schedule_id, now) for schedule_id in schedule_ids]
    found = {row.schedule_id: row for row in session.execute(queries[0] if len(queries) == 1 else union_all(*queries))}
    if len(found) < len(set(schedule_ids)):
        raise ScheduleNotFound("There is no such schedule here. It may have been deleted.")
    return found


def _query(cursor: SQLColumnExpression[Any], organization_id: UUID, schedule_id: UUID, now: datetime) -> Select[Any]:
    query = (
        select(*_columns(), cursor.label("schedule_next_run_at"), *columns_of_run(now))
        .select_from(Schedule)
        .join(Job, (Job.id == Schedule.job_id) & (Job.organization_id == Schedule.organization_id))
        .outerjoin(SchedulingStop, SchedulingStop.is_open.is_(True))
        .outerjoin(ClockStepSeen, ClockStepSeen.id == select(func.max(ClockStepSeen.id)).scalar_subquery())
        .outerjoin(_LAST, _LAST.id == _last_run(schedule_id))
        .outerjoin(Gap, Gap.id == _last_gap(schedule_id))
        .outerjoin(Run, Run.id == _current_run(schedule_id))
        .where(Schedule.id == schedule_id, Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None))
    )
    return with_surroundings(query)


def _columns() -> list[ColumnElement[Any]]:
    named: dict[str, Any] = {
        **{f"schedule_{column.key}": column for column in _OF_SCHEDULE},
        "kind": Job.kind,
        "service": Job.service,
        "connection_id": connection_of_job(),
        "job_left_at": Job.left_code_at,
        "stopped_at": SchedulingStop.stopped_at,
        "stopped_by": SchedulingStop.stopped_by,
        "stop_reason": SchedulingStop.reason,
        "step_seconds": ClockStepSeen.seconds,
        "step_seen_at": ClockStepSeen.seen_at,
        "held_until": ClockStepSeen.held_until,
        **{f"last_{column.key}": column for column in (_LAST.slot_at, _LAST.state, _LAST.reason, _LAST.error)},
        **{f"gap_{column.key}": column for column in _OF_GAP},
    }
    return [column.label(name) for name, column in named.items()]


_OF_SCHEDULE = (
    Schedule.id, Schedule.cron, Schedule.enabled, Schedule.problem, Schedule.created_at,
    Schedule.switched_at, Schedule.switched_by, Schedule.code_id, Schedule.left_code_at,
    Schedule.version,
)  # fmt: skip
_OF_GAP = Gap.first_slot_at, Gap.last_slot_at, Gap.slots, Gap.reason, Gap.explanation


# These name the schedule themselves, and do not take it from the row: found once before the rest, they lead to the
# others by index, which row-level security would not allow otherwise.
def _last_run(schedule_id: UUID) -> ScalarSelect[Any]:
    """The run of the last slot."""
    run = aliased(Run)
    query = select(run.id).where(run.schedule_id == schedule_id, run.slot_at.is_not(None))
    return query.order_by(run.slot_at.desc()).limit(1).scalar_subquery()


def _last_gap(schedule_id: UUID) -> ScalarSelect[Any]:
    gap = aliased(Gap)
    query = select(gap.id).where(gap.schedule_id == schedule_id)
    return query.order_by(gap.first_slot_at.desc(), gap.id.desc()).limit(1).scalar_subquery()


def _current_run(schedule_id: UUID) -> ScalarSelect[Any]:
    """A run without an end: one that waits goes before one that runs, for it is the one to be asked about."""
    run = aliased(Run)
    query = select(run.id).where(run.schedule_id == schedule_id, run.finished_at.is_(None))
    is_running = case((in_state(RunState.RUNNING, run), 1), else_=0)
    return query.order_by(is_running, run.created_at, run.id).limit(1).scalar_subquery()


def _facts(found: Row[Any], now: datetime) -> ScheduleFacts:
    lacks = needs_connection(found.kind, found.connection_id)
    to_connect = what_to_connect({"service": found.service}) if lacks else ""
    return ScheduleFacts(
        enabled=found.schedule_enabled,
        problem=found.schedule_problem,
        is_manual=_is_manual(found.schedule_cron),
        cursor=found.schedule_next_run_at,
        created_at=found.schedule_created_at,
        to_connect=to_connect,
        switched_at=found.schedule_switched_at,
        switched_by=found.schedule_switched_by,
        is_of_code=found.schedule_code_id is not None,
        is_untouched=found.schedule_version == 1,
        left_code_at=found.schedule_left_code_at,
        job_left_at=found.job_left_at,
        stop=_stop(found),
        hold=_hold(found, now),
        last=_last_slot(found),
        run=facts_of_run(found) if found.run_id is not None else None,
    )


def _is_manual(cron: str) -> bool:
    try:
        return parse_cron(cron).is_manual
    except CronInvalid:
        return False


def _stop(found: Row[Any]) -> SchedulingStopRow | None:
    if found.stopped_at is None:
        return None
    return SchedulingStopRow(found.stopped_at, found.stopped_by, found.stop_reason)


def _hold(found: Row[Any], now: datetime) -> HeldByClock | None:
    if found.step_seen_at is None or not found.step_seen_at <= now < found.held_until:
        return None
    return HeldByClock(found.held_until, words_for(found.step_seconds, found.step_seen_at))


def _last_slot(found: Row[Any]) -> LastSlot | None:
    has_gap, has_run = found.gap_last_slot_at is not None, found.last_slot_at is not None
    if has_gap and (not has_run or found.gap_last_slot_at > found.last_slot_at):
        return LastSlot(
            at=found.gap_last_slot_at,
            gap=GapReason(found.gap_reason),
            gap_first_at=found.gap_first_slot_at,
            gap_slots=found.gap_slots,
            gap_explanation=found.gap_explanation,
        )
    if not has_run:
        return None
    reason = Reason(found.last_reason) if found.last_reason else None
    return LastSlot(found.last_slot_at, RunState(found.last_state), reason, found.last_error)
