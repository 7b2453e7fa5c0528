"""Muting one schedule or job: a time of maintenance for it alone, which runs do not notice. It always ends."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.ids import new_id
from app.events.changes import record_change
from app.events.service import Topic, append_event
from app.jobs.queries import get_job
from app.notifications.held import think_over
from app.notifications.models import MaintenanceWindow
from app.notifications.signals import Relief
from app.notifications.telling_settings import WindowInvalid
from app.notifications.types import ScopeKind
from app.schedules.queries import get_schedule
from app.tenants.access import Actor, Permission, require

LONGEST_MUTE = timedelta(days=7)
MOST_MUTED = 200
_REASON = "Muted"


@dataclass(frozen=True)
class Mute:
    """Until when nothing is told of a schedule or job; `until_success`: or until its next good run, if earlier."""

    until: datetime
    until_success: bool


def mute_schedule(
    session: Session, *, actor: Actor, schedule_id: UUID, until: datetime, now: datetime, until_success: bool = False
) -> None:
    """Tell nothing of a schedule before then, or before its next run that goes well. A mute that goes on is replaced.

    Raises ScheduleNotFound, or WindowInvalid for a time that is past or more than seven days away.
    """
    require(actor, Permission.RUN)
    schedule = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    thing = _Thing(ScopeKind.SCHEDULE, schedule_id, schedule.name)
    _mute(session, actor, thing, Mute(until, until_success), now, action="schedule.muted")


def mute_job(
    session: Session, *, actor: Actor, job_id: UUID, until: datetime, now: datetime, until_success: bool = False
) -> None:
    """The same of all runs of a job. Raises JobNotFound or WindowInvalid."""
    require(actor, Permission.RUN)
    job = get_job(session, organization_id=actor.organization_id, job_id=job_id)
    thing = _Thing(ScopeKind.JOB, job_id, job.name)
    _mute(session, actor, thing, Mute(until, until_success), now, action="job.muted")


def unmute_schedule(session: Session, *, actor: Actor, schedule_id: UUID, now: datetime) -> bool:
    """Tell of a schedule again. False where nothing kept it from being told. Raises ScheduleNotFound."""
    require(actor, Permission.RUN)
    schedule = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    thing = _Thing(ScopeKind.SCHEDULE, schedule_id, schedule.name)
    return _unmute(session, actor, thing, now, action="schedule.unmuted")


def unmute_job(session: Session, *, actor: Actor, job_id: UUID, now: datetime) -> bool:
    """Tell of a job again. False where nothing kept it from being told. Raises JobNotFound."""
    require(actor, Permission.RUN)
    job = get_job(session, organization_id=actor.organization_id, job_id=job_id)
    thing = _Thing(ScopeKind.JOB, job_id, job.name)
    return _unmute(session, actor, thing, now, action="job.unmuted")


def mute_of_schedule(session: Session, *, organization_id: UUID, schedule_id: UUID, now: datetime) -> Mute | None:
    """The mute of a schedule; None where it has none."""
    return _find(session, _going(organization_id, ScopeKind.SCHEDULE, schedule_id, now))


def mute_of_job(session: Session, *, organization_id: UUID, job_id: UUID, now: datetime) -> Mute | None:
    """The mute of a job; None where it has none."""
    return _find(session, _going(organization_id, ScopeKind.JOB, job_id, now))


def waiting_for_success(session: Session, *, now: datetime) -> set[UUID]:
    """The organizations in which a good run ends a mute. Works as ENGINE."""
    waits = MaintenanceWindow.until_success, MaintenanceWindow.ends_at > now
    return set(session.scalars(select(MaintenanceWindow.organization_id).where(*waits).distinct()))


def end_by_success(session: Session, reliefs: Collection[Relief], *, now: datetime) -> int:
    """End the mutes that waited for these good runs. Returns how many. Works as ENGINE.

    What they held back is told by the teller's next look.
    """
    good = [relief for relief in reliefs if relief.run_id is not None and relief.has_recovered]
    if not good:
        return 0
    here = {relief.organization_id for relief in good}
    waits = MaintenanceWindow.until_success, MaintenanceWindow.ends_at > now
    ended = 0
    for row in session.scalars(select(MaintenanceWindow).where(MaintenanceWindow.organization_id.in_(here), *waits)):
        if any(_is_awaited(row, relief) for relief in good):
            ended += _end_one(session, row, now)
    return ended


def _is_awaited(row: MaintenanceWindow, relief: Relief) -> bool:
    # What ended well before somebody muted it says nothing of the time since.
    is_since = row.organization_id == relief.organization_id and row.starts_at <= relief.at
    return is_since and row.scope_value in {str(one) for one in relief.subject_ids}


def _end_one(session: Session, row: MaintenanceWindow, now: datetime) -> int:
    mine = MaintenanceWindow.id == row.id, MaintenanceWindow.organization_id == row.organization_id
    query = delete(MaintenanceWindow).where(*mine).execution_options(synchronize_session=False)
    if count_changed(session, query) == 0:
        # Somebody ended it at this moment.
        return 0
    here, kind = row.organization_id, ScopeKind(row.scope_kind)
    # The audit has what people do; that it was to end so, it says where it began.
    append_event(
        session, organization_id=here, topic=Topic.NOTIFICATIONS, kind=f"{kind.value}.unmuted",
        subject_id=UUID(row.scope_value), now=now,
    )  # fmt: skip
    think_over(session, organization_id=here, now=now)
    return 1


@dataclass(frozen=True)
class _Thing:
    kind: ScopeKind
    id: UUID
    name: str


def _mute(session: Session, actor: Actor, thing: _Thing, mute: Mute, now: datetime, *, action: str) -> None:
    if not now < mute.until <= now + LONGEST_MUTE:
        raise WindowInvalid("Mute it until some time within the next 7 days.", field="until")
    _end(session, actor, thing, now)
    _refuse_too_many(session, actor, now)
    session.add(
        MaintenanceWindow(
            id=new_id(),
            organization_id=actor.organization_id,
            starts_at=now,
            ends_at=mute.until,
            reason=_REASON,
            is_mute=True,
            until_success=mute.until_success,
            scope_kind=thing.kind.value,
            scope_value=str(thing.id),
            made_by=actor.label,
            created_at=now,
        )
    )
    session.flush()
    latest = f"{mute.until:%Y-%m-%d %H:%M} UTC"
    when = f"until it succeeds, at the latest until {latest}" if mute.until_success else f"until {latest}"
    _note(session, actor, thing, action, f"Muted {thing.name} {when}", now)


def _unmute(session: Session, actor: Actor, thing: _Thing, now: datetime, *, action: str) -> bool:
    if not _end(session, actor, thing, now):
        return False
    _note(session, actor, thing, action, f"Ended the mute of {thing.name}", now)
    return True


def _end(session: Session, actor: Actor, thing: _Thing, now: datetime) -> bool:
    # The audit tells of it; the row itself would only be in the way.
    going = _going(actor.organization_id, thing.kind, thing.id, now)
    if count_changed(session, delete(MaintenanceWindow).where(*going)) == 0:
        return False
    think_over(session, organization_id=actor.organization_id, now=now)
    return True


def _refuse_too_many(session: Session, actor: Actor, now: datetime) -> None:
    mine = MaintenanceWindow.organization_id == actor.organization_id, MaintenanceWindow.ends_at > now
    muted = select(func.count()).select_from(MaintenanceWindow).where(*mine, MaintenanceWindow.is_mute)
    if (session.scalar(muted) or 0) >= MOST_MUTED:
        raise WindowInvalid(
            f"{MOST_MUTED} schedules and jobs are muted already. Plan a time of maintenance for all of them."
        )


def _find(session: Session, which: Sequence[ColumnElement[bool]]) -> Mute | None:
    columns = MaintenanceWindow.ends_at, MaintenanceWindow.until_success
    query = select(*columns).where(*which).order_by(MaintenanceWindow.ends_at.desc()).limit(1)
    row = session.execute(query).one_or_none()
    return None if row is None else Mute(row.ends_at, row.until_success)


def _going(
    organization_id: UUID, kind: ScopeKind, thing_id: UUID, now: datetime
) -> tuple[ColumnElement[bool], ...]:  # fmt: skip
    # A time of maintenance that somebody planned for it is no mute, and stays.
    return (
        MaintenanceWindow.organization_id == organization_id,
        MaintenanceWindow.scope_kind == kind.value,
        MaintenanceWindow.scope_value == str(thing_id),
        MaintenanceWindow.is_mute.is_(True),
        MaintenanceWindow.starts_at <= now,
        MaintenanceWindow.ends_at > now,
    )


def _note(session: Session, actor: Actor, thing: _Thing, action: str, summary: str, now: datetime) -> None:
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action=action, subject_id=thing.id,
        summary=summary, now=now,
    )  # fmt: skip
