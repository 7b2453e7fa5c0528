"""Switching off the schedules of a connection that cannot be read any more, with the reason."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.jobs.kinds.base import LoginRefused
from app.runs import planner
from app.schedules import service as schedules
from app.schedules.connection_pauses import PAUSED_BY, REFUSED
from app.schedules.of_connections import schedules_of_connection
from app.schedules.queries import lock_schedule
from app.syncs.logins import note_refused
from app.tenants.access import Actor
from app.tenants.roles import Role

_LONGEST_LABEL = 254


def pause_schedules_of(
    session: Session, *, organization_id: UUID, connection_id: UUID, reason: str, now: datetime
) -> int:
    """Switch off those that are on. Says how many. `reason` is a clause, such as “the login was refused”.

    A slot that is due already is planned before. Nobody but who reconnects the account, or a person who switches one
    by hand, switches them on again.
    """
    label = f"{PAUSED_BY}{reason.strip().rstrip('.')}"[:_LONGEST_LABEL]
    actor = Actor(organization_id, Role.OWNER, label)
    found = schedules_of_connection(session, organization_id=organization_id, connection_id=connection_id)
    enabled = sorted((schedule for schedule in found if schedule.enabled), key=lambda each: each.id)
    for schedule in enabled:
        lock_schedule(session, organization_id=organization_id, schedule_id=schedule.id)
        planner.plan_schedule(session, organization_id=organization_id, schedule_id=schedule.id, now=now)
        schedules.switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=False, now=now)
    return len(enabled)


def note_login_refused(session: Session, refused: LoginRefused, *, organization_id: UUID, now: datetime) -> None:
    """Write down that a connection can no longer be read, once, and switch its schedules off.

    What the service said stays with the connection: it is too long to stand wherever a schedule says who switched it.
    """
    is_news = note_refused(
        session, organization_id=organization_id, connection_id=refused.connection_id, reason=refused.reason,
        trouble=refused.trouble_class, now=now, set_at=refused.set_at,
    )  # fmt: skip
    if is_news:
        pause_schedules_of(
            session, organization_id=organization_id, connection_id=refused.connection_id, reason=REFUSED, now=now,
        )  # fmt: skip
