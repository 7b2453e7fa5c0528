"""The default schedule of each service: made with the organization, switched off, daily at 02:00 UTC."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.scopes import Scope, rescoped
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.service import SYNC_RETRY
from app.jobs.services import READ_SERVICES, SERVICE_NAMES, Service
from app.schedules import service as schedules
from app.schedules.day_minutes import minutes_of
from app.schedules.drafts import draft_of
from app.schedules.fire_times import ClockChange, next_fire, rhythm
from app.schedules.models import Schedule
from app.schedules.policies import DEFAULT_MAX_AGE_SECONDS, Missed, Overlap
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.slot_accounts import NOTHING_MADE_UP, MadeUp
from app.schedules.versions import write_version
from app.tenants.access import Actor
from app.tenants.models import SYSTEM_ORGANIZATION_ID
from app.tenants.organizations import find_personal_organization

CRON, ZONE = "0 2 * * *", "UTC"
TIME_LIMIT_SECONDS = 3_600
# Nobody asked for them: they come with the organization.
MADE_BY = "Belfry"


class NoDefaultSchedule(NotFound):
    """The service is none of ours, or the organization has no default schedule for it."""


def give_default_schedules(session: Session, *, organization_id: UUID, now: datetime) -> None:
    """Make the sync job and the default schedule of each service, for an organization that was just made.

    Works as that organization, whoever the session was before. The installation's own organization gets none.
    """
    if organization_id == SYSTEM_ORGANIZATION_ID:
        return
    with rescoped(session, Scope.tenant(organization_id)):
        for service in READ_SERVICES:
            _give(session, organization_id, service, now)
        session.flush()


def welcome_person(session: Session, *, user_id: UUID, now: datetime) -> None:
    """Give the organization that came with a new account its default schedules. Works as IDENTITY."""
    organization_id = find_personal_organization(session, user_id=user_id)
    give_default_schedules(session, organization_id=organization_id, now=now)


def find_default(session: Session, *, organization_id: UUID, service: str) -> ScheduleRow:
    """The default schedule of a service. Raises NoDefaultSchedule."""
    here = Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None)
    found = session.scalar(select(Schedule.id).where(*here, Schedule.default_for == service))
    if found is None:
        known = ", ".join(READ_SERVICES)
        raise NoDefaultSchedule(f"There is no default schedule for “{service}” here. Services: {known}")
    return get_schedule(session, organization_id=organization_id, schedule_id=found)


def change_default(
    session: Session, *, actor: Actor, service: str, cron: str, is_enabled: bool, timezone: str, now: datetime,
    made_up: MadeUp = NOTHING_MADE_UP,
) -> None:  # fmt: skip
    """Say when the default schedule of a service runs, whatever it said before.

    Expects that slots due up to now are planned already: `runs.service` has the command that plans them first.
    Raises NoDefaultSchedule, and what editing a schedule raises.
    """
    before = find_default(session, organization_id=actor.organization_id, service=service)
    draft = replace(draft_of(before), cron=cron, timezone=timezone, enabled=is_enabled)
    schedules.edit_schedule(
        session, actor=actor, schedule_id=before.id, draft=draft, version=before.version, now=now, made_up=made_up
    )


def _give(session: Session, organization_id: UUID, service: Service, now: datetime) -> None:
    name = f"{SERVICE_NAMES[service]} sync"
    common: dict[str, Any] = {"organization_id": organization_id, "name": name, "created_at": now, "updated_at": now}
    job = Job(
        id=new_id(),
        kind=KindName.SYNC.value,
        service=service.value,
        definition={"service": service.value},
        time_limit_seconds=TIME_LIMIT_SECONDS,
        **SYNC_RETRY.columns,
        **common,
    )
    session.add(job)
    session.flush()
    schedule_id = new_id()
    session.add(
        Schedule(
            id=schedule_id,
            job_id=job.id,
            cron=CRON,
            minutes=minutes_of(rhythm(CRON, timezone=ZONE)),
            timezone=ZONE,
            spread_key=new_id().hex,
            clock_change=ClockChange.ONCE.value,
            overlap=Overlap.SKIP.value,
            missed=Missed.LATEST.value,
            missed_max_age_seconds=DEFAULT_MAX_AGE_SECONDS,
            enabled=False,
            next_run_at=next_fire(rhythm(CRON, timezone=ZONE), after=now),
            default_for=service.value,
            **common,
        )
    )
    session.flush()
    write_version(session, schedule_id=schedule_id, by=MADE_BY, now=now)
