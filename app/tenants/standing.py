"""Who somebody is by now, for work that goes on after they asked for it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Forbidden
from app.tenants.access import Actor, Permission
from app.tenants.models import Membership, User
from app.tenants.roles import Role

_SCOPES = "scopes"


class NoLongerMember(Forbidden):
    """Whoever asked for it has left the organization, or may not sign in any more."""


def scopes_said(actor: Actor) -> dict[str, Any]:
    """What the actor's token is good for, to be stored."""
    return {} if actor.scopes is None else {_SCOPES: sorted(actor.scopes)}


def actor_by_now(
    session: Session, *, organization_id: UUID, user_id: UUID | None, label: str, scopes: Mapping[str, Any]
) -> Actor:
    """The actor of before, with the role of now. Without a user it is the command line. Raises NoLongerMember."""
    if user_id is None:
        return Actor(organization_id, Role.OWNER, label, is_platform_admin=True)
    query = (
        select(Membership.role, User.is_platform_admin)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organization_id == organization_id, Membership.user_id == user_id, User.disabled_at.is_(None))
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NoLongerMember(f"{label} is no longer a member of this organization.")
    return Actor(
        organization_id=organization_id,
        role=Role(found.role),
        label=label,
        user_id=user_id,
        is_platform_admin=found.is_platform_admin,
        scopes=_read(scopes),
    )


def _read(said: Mapping[str, Any]) -> frozenset[Permission] | None:
    if _SCOPES not in said:
        return None
    # A word of another version allows nothing.
    return frozenset(permission for permission in Permission if permission.value in said[_SCOPES])
