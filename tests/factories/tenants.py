"""Organizations and people for tests. Passwords are hashed once for a whole run."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.tenants.access import Actor
from app.tenants.models import Membership, Organization, User
from app.tenants.passwords import hash_password
from app.tenants.roles import Role
from tests.fakes.clock import utc

PASSWORD = "quiet-harbour-42"
LONG_AGO = utc("2026-01-01")


@cache
def password_hash(password: str = PASSWORD) -> str:
    return hash_password(password)


@dataclass(frozen=True)
class Member:
    """A user in an organization."""

    user_id: UUID
    organization_id: UUID
    email: str
    actor: Actor


def make_organization(
    session: Session, *, name: str = "Northwind", is_personal: bool = False, timezone: str = "Europe/Riga"
) -> UUID:
    organization = Organization(id=new_id(), name=name, is_personal=is_personal, timezone=timezone, created_at=LONG_AGO)
    session.add(organization)
    session.flush()
    return organization.id


def make_user(
    session: Session,
    *,
    email: str = "ada@example.com",
    name: str = "Ada",
    timezone: str = "Europe/Riga",
    is_platform_admin: bool = False,
    disabled_at: datetime | None = None,
) -> UUID:
    user = User(
        id=new_id(),
        email=email,
        name=name,
        password_hash=password_hash(),
        is_platform_admin=is_platform_admin,
        timezone=timezone,
        disabled_at=disabled_at,
        created_at=LONG_AGO,
    )
    session.add(user)
    session.flush()
    return user.id


def make_member(
    session: Session,
    *,
    role: Role = Role.OWNER,
    organization_id: UUID | None = None,
    email: str = "ada@example.com",
    name: str = "Ada",
    is_platform_admin: bool = False,
    timezone: str = "Europe/Riga",
) -> Member:
    """A user with a role; in an organization of their own unless one is given."""
    organization_id = organization_id or make_organization(session)
    user_id = make_user(session, email=email, name=name, is_platform_admin=is_platform_admin, timezone=timezone)
    session.add(Membership(organization_id=organization_id, user_id=user_id, role=role.value, created_at=LONG_AGO))
    session.flush()
    actor = Actor(
        organization_id=organization_id,
        role=role,
        label=email,
        user_id=user_id,
        is_platform_admin=is_platform_admin,
    )
    return Member(user_id=user_id, organization_id=organization_id, email=email, actor=actor)
