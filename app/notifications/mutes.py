"""Muting one schedule for some hours: a time of maintenance for it alone. It always ends, and runs go on."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.ids import new_id
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.models import MaintenanceWindow
from app.notifications.telling_settings import WindowInvalid
from app.notifications.types import ScopeKind
from app.schedules.queries import get_schedule
from app.tenants.access import Actor, Permission, require

LONGEST_MUTE = timedelta(days=7)
MOST_MUTED = 200
_REASON = "Muted"


def mute_schedule(session: Session, *, actor: Actor, schedule_id: UUID, until: datetime, now: datetime) -> None:
    """Tell nothing of a schedule before then; a mute that goes on is replaced.

    Raises ScheduleNotFound, or WindowInvalid for a time that is past or more than seven days away.
    """
    require(actor, Permission.RUN)
    schedule = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    if not now < until <= now + LONGEST_MUTE:
        raise WindowInvalid("Mute it until some time within the next 7 days.", field="until")
    _end(session, actor, schedule_id, now)
    _refuse_too_many(session, actor, now)
    session.add(
        MaintenanceWindow(
            id=new_id(),
            organization_id=actor.organization_id,
            starts_at=now,
            ends_at=until,
            reason=_REASON,
            scope_kind=ScopeKind.SCHEDULE.value,
            scope_value=str(schedule_id),
            made_by=actor.label,
            created_at=now,
        )
    )
    session.flush()
    words = f"Muted {schedule.name} until {until:%Y-%m-%d %H:%M} UTC"
    _note(session, actor, schedule_id, "schedule.muted", words, now)


def unmute_schedule(session: Session, *, actor: Actor, schedule_id: UUID, now: datetime) -> bool:
    """Tell of a schedule again. False where nothing kept it from being told. Raises ScheduleNotFound."""
    require(actor, Permission.RUN)
    schedule = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    if not _end(session, actor, schedule_id, now):
        return False
    _note(session, actor, schedule_id, "schedule.unmuted", f"Ended the mute of {schedule.name}", now)
    return True


def muted_until(session: Session, *, organization_id: UUID, schedule_id: UUID, now: datetime) -> datetime | None:
    """When the mute of a schedule ends; None where it has none."""
    query = select(func.max(MaintenanceWindow.ends_at)).where(*_going(organization_id, schedule_id, now))
    return session.scalar(query)


def _end(session: Session, actor: Actor, schedule_id: UUID, now: datetime) -> bool:
    # The audit tells of it; the row itself would only be in the way.
    going = _going(actor.organization_id, schedule_id, now)
    return count_changed(session, delete(MaintenanceWindow).where(*going)) > 0


def _refuse_too_many(session: Session, actor: Actor, now: datetime) -> None:
    mine = MaintenanceWindow.organization_id == actor.organization_id, MaintenanceWindow.ends_at > now
    muted = select(func.count()).select_from(MaintenanceWindow).where(*mine, MaintenanceWindow.reason == _REASON)
    if (session.scalar(muted) or 0) >= MOST_MUTED:
        raise WindowInvalid(f"{MOST_MUTED} schedules are muted already. Plan a time of maintenance for all of them.")


def _going(organization_id: UUID, schedule_id: UUID, now: datetime) -> tuple[ColumnElement[bool], ...]:
    # A time of maintenance that somebody planned for it is no mute, and stays.
    return (
        MaintenanceWindow.organization_id == organization_id,
        MaintenanceWindow.scope_kind == ScopeKind.SCHEDULE.value,
        MaintenanceWindow.scope_value == str(schedule_id),
        MaintenanceWindow.reason == _REASON,
        MaintenanceWindow.starts_at <= now,
        MaintenanceWindow.ends_at > now,
    )


def _note(session: Session, actor: Actor, schedule_id: UUID, action: str, summary: str, now: datetime) -> None:
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action=action, subject_id=schedule_id, summary=summary,
        now=now,
    )  # fmt: skip
