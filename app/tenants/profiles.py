"""One's own profile: name, time zone, and how pages look. Accounts are made in service.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import User
from app.tenants.people import clean_name, clean_timezone
from app.tenants.preferences import PREFERENCE_NAMES, Preferences, clean_preference, stored_preferences


class PersonNotFound(NotFound):
    """There is no such user."""


@dataclass(frozen=True)
class Profile:
    """What a person said about themselves."""

    user_id: UUID
    name: str
    email: str
    timezone: str
    preferences: Preferences


def find_profile(session: Session, *, email: str) -> Profile:
    """The profile behind an address, written in any case. Raises PersonNotFound."""
    query = select(User).where(User.email == email.strip().lower())
    user = session.scalars(query).one_or_none()
    if user is None:
        raise PersonNotFound(f"Nobody has an account with the address {email}.")
    likes = stored_preferences({name: getattr(user, name) for name in PREFERENCE_NAMES})
    return Profile(user.id, user.name, user.email, user.timezone, likes)


def revise_profile(
    session: Session, *, actor: Actor, user_id: UUID | None, said: Mapping[str, str | bool], now: datetime
) -> None:
    """Change some of: name, timezone, clock, theme, density, shortcuts_enabled. What is not said stays.

    Raises PersonInvalid or PersonNotFound.
    """
    new = {field: _clean(field, value) for field, value in said.items()}
    columns = [getattr(User, field) for field in new]
    user = session.execute(select(User.id, *columns).where(User.id == user_id)).mappings().one_or_none()
    if user is None:
        raise PersonNotFound("This account no longer exists.")
    changes = {field: [user[field], value] for field, value in new.items() if user[field] != value}
    if not changes:
        return
    session.execute(update(User).where(User.id == user_id).values({field: new[field] for field in changes}))
    record(
        session,
        actor=actor,
        action="account.profile_changed",
        subject_kind="user",
        subject_id=user_id,
        summary="Changed their profile" if actor.user_id == user_id else "Changed the profile of a person",
        changes=changes,
        now=now,
    )


def _clean(field: str, value: str | bool) -> str | bool:
    cleaners = {"name": clean_name, "timezone": clean_timezone}
    if field in cleaners:
        return cleaners[field](str(value))
    return clean_preference(field, value)
