"""Reads about people and their sessions, as frozen rows. Nothing is changed here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from app.core.columns import UTCDateTime
from app.core.questions import Question, packed, unpacked
from app.tenants.models import LoginSession, Membership, Organization, User
from app.tenants.preferences import PREFERENCE_NAMES, Preferences, stored_preferences
from app.tenants.roles import Role

# A self-hosted tool on an own screen: signed out after a week away, and once a month in any case.
IDLE_LIMIT = timedelta(days=7)
# More would push the rest of a menu off a small screen; a page has them all.
MOST_OTHERS = 6


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
    # The other organizations that the person may switch to, no more of them than a menu may want, and how many in all.
    others: tuple["OwnOrganization", ...]
    others_in_all: int
    # When it was read.
    asked_at: datetime


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


def member_names(*, organization_id: UUID, user_ids: Iterable[UUID]) -> Question[dict[UUID, str]]:
    """The names of these people; those who are not, or no longer, in the organization are left out."""
    wanted = sorted(set(user_ids))
    query = (
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization_id, User.id.in_(wanted))
    )
    return Question(query, lambda rows: {row.id: row.name for row in rows})


def find_signed_in(
    session: Session, *, token_digest: str, now: datetime | ColumnElement[datetime]
) -> SignedInSession | None:
    """The living session of a token: not signed out, expired or idle, its user enabled and still a member.

    `now` may be what the statement itself asks for the time. One statement.
    """
    moment = literal(now, UTCDateTime()) if isinstance(now, datetime) else now
    others, all_others = _others_of_session()
    query = (
        select(
            LoginSession.id.label("session_id"),
            LoginSession.seen_at,
            LoginSession.expires_at,
            LoginSession.user_id,
            User.email,
            User.name,
            User.timezone,
            User.is_platform_admin,
            *(getattr(User, name) for name in PREFERENCE_NAMES),
            LoginSession.organization_id,
            Organization.name.label("organization_name"),
            Membership.role,
            packed(session, others).label("others"),
            all_others.label("others_in_all"),
            moment.label("asked_at"),
        )
        .join(User, User.id == LoginSession.user_id)
        .join(Organization, Organization.id == LoginSession.organization_id)
        .join(
            Membership,
            (Membership.user_id == User.id) & (Membership.organization_id == LoginSession.organization_id),
        )
        .where(
            LoginSession.token_digest == token_digest,
            User.disabled_at.is_(None),
        )
    )
    row = session.execute(query).mappings().one_or_none()
    # Judged here: what the statement told for the time need not be compared in it, as each engine keeps instants.
    if row is None or row["expires_at"] <= row["asked_at"] or row["seen_at"] <= row["asked_at"] - IDLE_LIMIT:
        return None
    rest = {name: value for name, value in row.items() if name not in {*PREFERENCE_NAMES, "expires_at"}}
    more = {
        "role": Role(row["role"]),
        "preferences": stored_preferences({**row}),
        "others": tuple(map(_own_organization, unpacked(others, row["others"]))),
    }
    return SignedInSession(**{**rest, **more})


@cache
def _others_of_session() -> tuple[Select[*tuple[Any, ...]], ScalarSelect[int]]:
    """The first organizations, besides the one that a browser session sees, of its person, and how many there are."""
    other, there = aliased(Membership), aliased(Organization)
    elsewhere = other.user_id == LoginSession.user_id, other.organization_id != LoginSession.organization_id
    columns = there.id, there.name, other.role, there.is_personal, there.is_system
    found = select(*columns).join(other, other.organization_id == there.id).where(*elsewhere)
    order = there.is_personal.desc(), there.is_system, func.lower(there.name)
    number = select(func.count()).select_from(other).where(*elsewhere).correlate(LoginSession)
    return found.order_by(*order).limit(MOST_OTHERS).correlate(LoginSession), number.scalar_subquery()


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
    return [_own_organization(row) for row in session.execute(query)]


def _own_organization(row: Any) -> OwnOrganization:
    return OwnOrganization(row.id, row.name, Role(row.role), row.is_personal, row.is_system)


def _find_account(session: Session, condition: ColumnElement[bool]) -> Account | None:
    query = select(User.id, User.email, User.password_hash, User.disabled_at).where(condition)
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    return Account(
        user_id=row.id, email=row.email, password_hash=row.password_hash, is_disabled=row.disabled_at is not None
    )
