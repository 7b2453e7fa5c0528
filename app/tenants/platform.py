"""Commands that concern the whole installation: who may give them, and how they are noted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Forbidden
from app.core.scopes import Scope, rescoped
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import SYSTEM_ORGANIZATION_ID
from app.tenants.roles import Role


class PlatformAdminNeeded(Forbidden):
    """Only those who look after the whole installation may do this."""


def acting_for_the_installation(label: str) -> Actor:
    """Whoever has the files of the installation, and therefore acts as a platform admin of its own organization."""
    return Actor(SYSTEM_ORGANIZATION_ID, Role.OWNER, label, is_platform_admin=True)


def for_the_installation(actor: Actor) -> Actor:
    """A platform admin, acting in the installation's own organization. Raises PlatformAdminNeeded."""
    require_platform_admin(actor)
    return replace(actor, organization_id=SYSTEM_ORGANIZATION_ID, role=Role.OWNER, scopes=None)


def require_platform_admin(actor: Actor) -> None:
    """Raises PlatformAdminNeeded."""
    if not actor.is_platform_admin:
        raise PlatformAdminNeeded("This is for platform admins, who look after the whole installation.")


def record_for_platform(
    session: Session,
    *,
    actor: Actor,
    action: str,
    subject_kind: str,
    summary: str,
    now: datetime,
    subject_id: UUID | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Add an audit row to the installation's own organization, from a session that works as PLATFORM."""
    # That role sees no organization's audit; the row is written as somebody of the organization.
    actor = for_the_installation(actor)
    with rescoped(session, Scope.tenant(actor.organization_id, actor.user_id)):
        record(
            session,
            actor=actor,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            summary=summary,
            changes=changes,
            now=now,
        )
        session.flush()
