"""Schedules that were deleted lately, and the way back. How one is deleted is in service.py."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Invalid, NotFound
from app.events.changes import record_change
from app.events.service import Topic
from app.jobs.models import Job
from app.schedules.fire_times import next_fire
from app.schedules.gaps import record_gap
from app.schedules.models import Schedule
from app.schedules.policies import GapReason
from app.schedules.queries import ScheduleRow, list_deleted_schedules, lock_schedule
from app.schedules.stored_rhythms import rhythm_of
from app.tenants.access import Actor, Permission, require

# For so long a deleted schedule can come back; then it is removed for good.
KEPT = timedelta(days=30)
KEPT_WORDS = f"{KEPT.days} days"


class DeletedScheduleNotFound(NotFound):
    """No schedule of that id was deleted here, or too long ago."""


class ScheduleNotBroughtBack(Conflict):
    """Something has to be done first before a deleted schedule can come back."""


@dataclass(frozen=True)
class DeletedSchedule:
    """A deleted schedule. `why_not` says what keeps it from coming back; `until` is when it is removed for good."""

    row: ScheduleRow
    at: datetime
    by: str
    until: datetime
    why_not: str

    @property
    def was_enabled(self) -> bool:
        return bool(self.row.was_enabled)


def list_deleted(
    session: Session, *, organization_id: UUID, now: datetime, limit: int,
    before: tuple[datetime, UUID] | None = None,
) -> list[DeletedSchedule]:  # fmt: skip
    """The schedules that can come back, the last deleted first. `before` is when the last one seen was, and its id."""
    rows = list_deleted_schedules(
        session, organization_id=organization_id, since=now - KEPT, limit=limit, before=before
    )
    return _explained(session, organization_id, rows)


def get_deleted(session: Session, *, organization_id: UUID, schedule_id: UUID, now: datetime) -> DeletedSchedule:
    """One of them. Raises DeletedScheduleNotFound."""
    rows = list_deleted_schedules(
        session, organization_id=organization_id, since=now - KEPT, schedule_ids=[schedule_id]
    )
    if not rows:
        raise DeletedScheduleNotFound(f"No such schedule was deleted here within the last {KEPT_WORDS}.")
    return _explained(session, organization_id, rows)[0]


def find_deleted(session: Session, *, organization_id: UUID, name: str, now: datetime) -> list[DeletedSchedule]:
    """Those that somebody may mean by a name or an id, the one deleted last first."""
    rows = list_deleted_schedules(session, organization_id=organization_id, since=now - KEPT)
    meant = [row for row in rows if name.strip() in (row.name, str(row.id))]
    return _explained(session, organization_id, meant)


def which_can_come_back(
    session: Session, *, organization_id: UUID, schedule_ids: Collection[UUID], now: datetime
) -> dict[UUID, str]:
    """Those of these schedules that are deleted and can come back, with their names."""
    if not schedule_ids:
        return {}
    rows = list_deleted_schedules(session, organization_id=organization_id, since=now - KEPT, schedule_ids=schedule_ids)
    return {row.id: row.name for row in rows}


def is_deleted(session: Session, *, organization_id: UUID, schedule_id: UUID) -> bool:
    """Whether there is such a schedule and it is deleted."""
    here = Schedule.organization_id == organization_id, Schedule.id == schedule_id
    return session.scalar(select(Schedule.id).where(*here, Schedule.deleted_at.is_not(None))) is not None


def bring_back(session: Session, *, actor: Actor, schedule_id: UUID, now: datetime) -> None:
    """Restore a deleted schedule as it was: its id, its history, whether it is on, and its next run.

    Slots that came meanwhile are a gap: nobody is to be surprised by their runs. Runs that were cancelled with it stay
    so. Raises DeletedScheduleNotFound or ScheduleNotBroughtBack.
    """
    require(actor, Permission.EDIT_SCHEDULES)
    here = actor.organization_id
    lock_schedule(session, organization_id=here, schedule_id=schedule_id)
    found = get_deleted(session, organization_id=here, schedule_id=schedule_id, now=now)
    if found.why_not:
        raise ScheduleNotBroughtBack(found.why_not)
    values = {
        "deleted_at": None, "deleted_by": None, "was_enabled": None, "enabled": found.was_enabled,
        **(_next_run(session, found, now) if found.was_enabled else {}),
    }  # fmt: skip
    mine = Schedule.id == schedule_id, Schedule.organization_id == here, Schedule.deleted_at.is_not(None)
    try:
        changed = count_changed(session, update(Schedule).where(*mine).values(**values))
    except IntegrityError as error:
        raise ScheduleNotBroughtBack(_taken(found.row.name)) from error
    if changed != 1:
        raise DeletedScheduleNotFound("Somebody else brought it back a moment ago.")
    record_change(
        session, actor=actor, topic=Topic.SCHEDULES, action="schedule.undeleted", subject_id=found.row.id,
        summary=f"Restored the deleted schedule “{found.row.name}”", now=now,
    )  # fmt: skip


def _next_run(session: Session, found: DeletedSchedule, now: datetime) -> dict[str, datetime | None]:
    row = found.row
    if row.problem is not None or row.cursor is None or row.cursor > now:
        return {}
    try:
        when = rhythm_of(row)
    except Invalid:
        # The planner sets it aside, and says why.
        return {}
    words = f"{found.by or 'Somebody'} had deleted it at {found.at:%Y-%m-%d %H:%M} UTC."
    record_gap(
        session, schedule=row, when=when, since=row.cursor, until=now, reason=GapReason.PAUSED, now=now,
        explanation=words,
    )  # fmt: skip
    return {"next_run_at": next_fire(when, after=now)}


def _explained(session: Session, organization_id: UUID, rows: list[ScheduleRow]) -> list[DeletedSchedule]:
    """What keeps each from coming back, in two statements for all."""
    if not rows:
        return []
    jobs = {row.job_id for row in rows}
    gone = select(Job.id).where(Job.organization_id == organization_id, Job.id.in_(jobs), Job.deleted_at.is_not(None))
    gone_jobs = set(session.scalars(gone))
    named = Schedule.organization_id == organization_id, Schedule.name.in_({row.name for row in rows})
    taken = set(session.scalars(select(Schedule.name).where(*named, Schedule.deleted_at.is_(None))))

    def why_not(row: ScheduleRow) -> str:
        if row.job_id in gone_jobs:
            return f"Its job “{row.job_name}” is deleted as well, so it would have nothing to run."
        return _taken(row.name) if row.name in taken else ""

    return [
        DeletedSchedule(row, row.deleted_at, row.deleted_by or "", row.deleted_at + KEPT, why_not(row))
        for row in rows
        if row.deleted_at is not None
    ]


def _taken(name: str) -> str:
    return f"Another schedule is called “{name}” by now. Rename that one first."
