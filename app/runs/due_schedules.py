"""Which schedules are due, read for many at once. A row that cannot be read never takes the others with it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, String, and_, bindparam, case, exists, false, or_, select
from sqlalchemy import cast as cast_to
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.db import OUTAGES
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.runs.models import Run
from app.schedules.models import Gap, Schedule, is_planned
from app.schedules.policies import LATE_AFTER, LOOK_BACK
from app.schedules.stops import last_stop_ended
from app.schedules.stored_rhythms import RHYTHM_COLUMNS

log = logging.getLogger(__name__)

_NOW, _LOOKS_BACK_TO, _LATE_BEFORE = (
    bindparam(name, type_=UTCDateTime()) for name in ("now", "looks_back_to", "late_before")
)


class DueSchedule(NamedTuple):
    """What the tick needs to know of a schedule. A tuple, because ten thousand of them may be due at once."""

    # The id as the database writes it: it comes from a statement and goes into the next one.
    key: str
    cron: str
    timezone: str
    spread_key: str
    clock_change: str
    has_seconds: bool
    starts_at: datetime | None
    ends_at: datetime | None
    overlap: str
    missed: str
    missed_max_age_seconds: int
    missed_limit: int
    cursor: datetime
    # A cursor from before the schedule was made, or before what the books hold already, was never set by us.
    is_impossible: bool
    kind: str
    # Only of jobs that may lack a connection: it says which one.
    definition: Mapping[str, Any] | None
    # Since when its job is no longer in the code.
    job_left_at: datetime | None
    # The same for all: asked in passing, because mostly there is none.
    last_stop_ended: datetime | None

    @property
    def may_have_been_stopped(self) -> bool:
        """Whether scheduling was stopped at its time or later."""
        return self.last_stop_ended is not None and self.last_stop_ended > self.cursor

    @property
    def question(self) -> tuple[object, ...]:
        """All that its slots depend on. The key that H is spread by counts only where there is an H."""
        spread_key = self.spread_key if "H" in self.cron.upper() else ""
        rhythm = self.cron, self.timezone, spread_key, self.clock_change, self.has_seconds, self.starts_at, self.ends_at
        return *rhythm, self.missed, self.missed_max_age_seconds, self.missed_limit, self.cursor


@dataclass(frozen=True)
class DueSchedules:
    """One batch: those that were read, and the ids of those that could not be."""

    read: Sequence[DueSchedule]
    unreadable: Sequence[UUID] = ()

    def __len__(self) -> int:
        return len(self.read) + len(self.unreadable)

    @property
    def sound(self) -> list[DueSchedule]:
        return [schedule for schedule in self.read if not schedule.is_impossible]

    @property
    def impossible(self) -> list[DueSchedule]:
        return [schedule for schedule in self.read if schedule.is_impossible]


def lock_due_schedules(session: Session, *, now: datetime, limit: int) -> DueSchedules:
    """The schedules that are due and that nobody else plans at this moment, the longest waiting first."""
    return _read(session, now, limit=limit)


def lock_due_schedule(session: Session, *, organization_id: UUID, schedule_id: UUID, now: datetime) -> DueSchedules:
    """One schedule, if it is due. Waits for whoever plans it at this moment."""
    wanted = Schedule.id == schedule_id, Schedule.organization_id == organization_id
    return _read(session, now, wanted)


def _read(
    session: Session, now: datetime, where: Sequence[ColumnElement[bool]] = (), *, limit: int | None = None
) -> DueSchedules:
    values = {**_moments(now), "limit": limit}
    query = _locking(_due_columns().where(*where)) if where else _next_due()
    try:
        found = session.execute(query, values)
        return DueSchedules([DueSchedule._make(row) for row in found])
    except OUTAGES:
        # The database, not a row: the whole batch is tried again.
        raise
    except Exception:
        log.exception("a schedule that is due cannot be read")
        # An instant that no calendar holds fails as soon as the driver meets it, so now they are read one by one.
        return _read_singly(session, session.scalars(query.with_only_columns(Schedule.id), values).all(), now)


def _read_singly(session: Session, ids: Sequence[UUID], now: datetime) -> DueSchedules:
    read, unreadable = [], []
    for schedule_id in ids:
        try:
            row = session.execute(_columns().where(Schedule.id == schedule_id), _moments(now)).one()
            read.append(DueSchedule._make(row))
        except OUTAGES:
            raise
        except Exception:
            log.exception("schedule unreadable", extra={"schedule_id": str(schedule_id)})
            unreadable.append(schedule_id)
    return DueSchedules(read, unreadable)


# To put these together takes longer than the database needs to answer, so it is done once.


@cache
def _next_due() -> Select[Any]:
    # Of several schedulers each takes those that the others leave.
    return _locking(
        _due_columns().order_by(Schedule.next_run_at).limit(bindparam("limit", type_=Integer)), is_patient=False
    )


def _due_columns() -> Select[Any]:
    return _columns().where(*is_planned(), Schedule.next_run_at <= _NOW)


@cache
def _columns() -> Select[Any]:
    definition = case((Job.kind == KindName.SYNC.value, Job.definition))
    columns: tuple[Any, ...] = (
        cast_to(Schedule.id, String),
        *RHYTHM_COLUMNS,
        Schedule.overlap,
        Schedule.missed,
        Schedule.missed_max_age_seconds,
        Schedule.missed_limit,
        Schedule.next_run_at,
        or_(_is_before_it_was_made(), _is_in_the_books()),
        Job.kind,
        definition,
        Job.left_code_at,
        last_stop_ended(),
    )
    return select(*columns).join(Job, (Job.id == Schedule.job_id) & (Job.organization_id == Schedule.organization_id))


def _is_before_it_was_made() -> ColumnElement[bool]:
    # Made under a clock that was ahead and has been set back since, a schedule fires before it was made.
    is_made = or_(Schedule.created_at <= _NOW, Schedule.next_run_at < _LOOKS_BACK_TO)
    return and_(Schedule.next_run_at < Schedule.created_at, is_made)


def _is_in_the_books() -> ColumnElement[bool]:
    run = exists().where(Run.schedule_id == Schedule.id, Run.slot_at >= Schedule.next_run_at, Run.slot_at <= _NOW)
    gap = exists().where(
        Gap.schedule_id == Schedule.id, Gap.first_slot_at >= Schedule.next_run_at, Gap.first_slot_at <= _NOW
    )
    # Asked only where slots may have been missed: a burst of what is due now need not pay for it.
    return case((Schedule.next_run_at < _LATE_BEFORE, or_(run, gap)), else_=false())


def _locking(query: Select[Any], *, is_patient: bool = True) -> Select[Any]:
    # Of the schedule alone: the job may be read by others, and is not ours to lock.
    return query.with_for_update(of=Schedule, skip_locked=not is_patient)


def _moments(now: datetime) -> dict[str, datetime]:
    return {"now": now, "looks_back_to": now - LOOK_BACK, "late_before": now - LATE_AFTER}
