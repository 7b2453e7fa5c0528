"""Reads about people and their sessions, as frozen rows. Nothing is changed here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from app.tenants.models import LoginSession, Membership, Organization, User
from app.tenants.preferences import PREFERENCE_NAMES, Preferences, stored_preferences
from app.tenants.roles import Role

# A self-hosted tool on an own screen: signed out after a week away, and once a month in any case.
IDLE_LIMIT = timedelta(days=7)


@dataclass(frozen=True)
class SignedInSession:
    """A browser that is signed in: whose it is and what that person is in the organization it sees."""

    session_id: UUID
    seen_at: datetime
    user_id: UUID
    email: str
    name: str
    timezone: str
    is_platform_admin: bool
    organization_id: UUID
    organization_name: str
    role: Role
    preferences: Preferences
    # Most people have none, and for them no page has to ask which.
    has_others: bool


@dataclass(frozen=True)
class OwnOrganization:
    """An organization that a user belongs to, and what they are there."""

    id: UUID
    name: str
    role: Role
    is_personal: bool
    is_system: bool


@dataclass(frozen=True)
class Account:
    """What signing in needs to know about a user."""

    user_id: UUID
    email: str
    password_hash: str
    is_disabled: bool


def has_users(session: Session) -> bool:
    """Whether anybody has an account yet."""
    return bool(session.execute(select(exists().where(User.id.is_not(None)))).scalar_one())


def find_account(session: Session, *, email: str) -> Account | None:
    """The account of an address, written in any case."""
    return _find_account(session, User.email == email.strip().lower())


def find_account_of(session: Session, *, user_id: UUID) -> Account | None:
    """The account of a user."""
    return _find_account(session, User.id == user_id)


def find_email(session: Session, *, user_id: UUID) -> str | None:
    """The address of a user, for everybody who may see that user."""
    return session.execute(select(User.email).where(User.id == user_id)).scalar_one_or_none()


def names_of_members(session: Session, *, organization_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of these people; those who are not, or no longer, in the organization are left out."""
    wanted = sorted(set(user_ids))
    if not wanted:
        return {}
    query = (
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization_id, User.id.in_(wanted))
    )
    return {row.id: row.name for row in session.execute(query)}


def find_signed_in(session: Session, *, token_digest: str, now: datetime) -> SignedInSession | None:
    """The living session of a token: not signed out, expired or idle, its user enabled and still a member."""
    query = (
        select(
            LoginSession.id.label("session_id"),
            LoginSession.seen_at,
            LoginSession.user_id,
            User.email,
            User.name,
            User.timezone,
            User.is_platform_admin,
            *(getattr(User, name) for name in PREFERENCE_NAMES),
            LoginSession.organization_id,
            Organization.name.label("organization_name"),
            Membership.role,
            _has_others().label("has_others"),
        )
        .join(User, User.id == LoginSession.user_id)
        .join(Organization, Organization.id == LoginSession.organization_id)
        .join(
            Membership,
            (Membership.user_id == User.id) & (Membership.organization_id == LoginSession.organization_id),
        )
        .where(
            LoginSession.token_digest == token_digest,
            LoginSession.expires_at > now,
            LoginSession.seen_at > now - IDLE_LIMIT,
            User.disabled_at.is_(None),
        )
    )
    row = session.execute(query).mappings().one_or_none()
    if row is None:
        return None
    rest = {name: value for name, value in row.items() if name not in PREFERENCE_NAMES}
    more = {
        "role": Role(row["role"]),
        "preferences": stored_preferences({**row}),
        "has_others": bool(row["has_others"]),
    }
    return SignedInSession(**{**rest, **more})


def _has_others() -> ColumnElement[bool]:
    """Whether the person of a browser session belongs to another organization than the one it sees."""
    other = aliased(Membership)
    elsewhere = other.user_id == LoginSession.user_id, other.organization_id != LoginSession.organization_id
    return exists(select(other.user_id).where(*elsewhere)).correlate(LoginSession)


def find_home(
    session: Session, *, user_id: UUID, wanted: UUID | None = None, besides: UUID | None = None
) -> tuple[UUID, Role] | None:
    """The organization a user sees after signing in: the wanted one, else the personal one, else the one joined first.

    Never the one that stands in `besides`, which is about to be left.
    """
    query = (
        select(Membership.organization_id, Membership.role)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.user_id == user_id, Membership.organization_id.is_distinct_from(besides))
        .order_by(
            (Membership.organization_id.is_not_distinct_from(wanted)).desc(),
            Organization.is_personal.desc(),
            Organization.is_system,
            Membership.created_at,
            Membership.organization_id,
        )
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (row[0], Role(row[1]))


def list_own_organizations(session: Session, *, user_id: UUID) -> list[OwnOrganization]:
    """The organizations a user is a member of: the personal one first, the others by name."""
    query = (
        select(Organization.id, Organization.name, Membership.role, Organization.is_personal, Organization.is_system)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
        .order_by(Organization.is_personal.desc(), Organization.is_system, func.lower(Organization.name))
    )
    return [OwnOrganization(**{**row, "role": Role(row["role"])}) for row in session.execute(query).mappings()]


def _find_account(session: Session, condition: ColumnElement[bool]) -> Account | None:
    query = select(User.id, User.email, User.password_hash, User.disabled_at).where(condition)
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    return Account(
        user_id=row.id, email=row.email, password_hash=row.password_hash, is_disabled=row.disabled_at is not None
    )
