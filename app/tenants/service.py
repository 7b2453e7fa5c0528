"""Commands on people: the setup link and accounts. Profiles are in profiles.py, signing in is in sign_in.py."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, NotFound
from app.core.ids import digest, new_id, new_token
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import SYSTEM_ORGANIZATION_ID, Membership, Organization, SetupLink, User
from app.tenants.passwords import check_password, hash_password
from app.tenants.people import clean_email, clean_name, clean_timezone
from app.tenants.queries import has_users
from app.tenants.roles import Role

SETUP_LINK_LIFE = timedelta(hours=1)
_NEW_LINK = "On the machine of Belfry, get a new one with: belfry setup-link"


class SetupOver(NotFound):
    """There is an account already, so nobody can set Belfry up any more."""


class SetupLinkUnknown(NotFound):
    """The setup link was never made, was replaced by a newer one, or is used up."""


class SetupLinkExpired(NotFound):
    """The setup link is older than an hour."""


class EmailTaken(Conflict):
    """Another user has this address."""


def make_setup_link(session: Session, *, now: datetime) -> str:
    """The token of a new setup link, which replaces older ones. Raises SetupOver when there is an account."""
    refuse_when_set_up(session)
    session.execute(delete(SetupLink))
    token = new_token()
    session.add(SetupLink(token_digest=digest(token), created_at=now, expires_at=now + SETUP_LINK_LIFE))
    session.flush()
    return token


def refuse_when_set_up(session: Session) -> None:
    """Raises SetupOver when there is an account."""
    if has_users(session):
        raise SetupOver("Belfry is set up already. Sign in with your account.")


def check_setup_link(session: Session, *, token: str, now: datetime) -> None:
    """Raises SetupOver, SetupLinkUnknown or SetupLinkExpired unless the token may make the first account."""
    refuse_when_set_up(session)
    query = select(SetupLink.expires_at).where(SetupLink.token_digest == digest(token))
    expires_at = session.execute(query).scalar_one_or_none()
    if expires_at is None:
        raise SetupLinkUnknown(f"This setup link is not valid: it was used, replaced or mistyped. {_NEW_LINK}")
    if expires_at <= now:
        raise SetupLinkExpired(f"This setup link was good for an hour and has expired. {_NEW_LINK}")


def make_first_account(
    session: Session, *, token: str, email: str, name: str, password: str, timezone: str, now: datetime
) -> UUID:
    """Use the link up for the first account, a platform admin's. Raises as check_setup_link and make_user do."""
    check_setup_link(session, token=token, now=now)
    user = _new_user(email=email, name=name, password=password, timezone=timezone, is_platform_admin=True, now=now)
    # The row count decides between two browsers that hold the same link.
    if count_changed(session, delete(SetupLink).where(SetupLink.token_digest == digest(token))) != 1:
        raise SetupLinkUnknown(f"This setup link was used a moment ago. {_NEW_LINK}")
    return _settle(session, user, now)


def make_user(
    session: Session, *, email: str, name: str, password: str, timezone: str, is_platform_admin: bool, now: datetime
) -> UUID:
    """A user with an organization of their own. Raises PersonInvalid, PasswordRefused or EmailTaken."""
    # Hashed before the first statement, so that the slow hash holds no lock.
    user = _new_user(
        email=email, name=name, password=password, timezone=timezone, is_platform_admin=is_platform_admin, now=now
    )
    # From here on nobody needs the link, and it must not outlive the first account.
    session.execute(delete(SetupLink))
    return _settle(session, user, now)


def _new_user(*, email: str, name: str, password: str, timezone: str, is_platform_admin: bool, now: datetime) -> User:
    address = clean_email(email)
    check_password(password, email=address)
    return User(
        id=new_id(),
        email=address,
        name=clean_name(name),
        timezone=clean_timezone(timezone),
        password_hash=hash_password(password),
        is_platform_admin=is_platform_admin,
        created_at=now,
    )


def _settle(session: Session, user: User, now: datetime) -> UUID:
    """Store a new user with the personal organization, the membership and the audit row.

    A platform admin also owns the organization of what belongs to the installation itself.
    """
    organization = Organization(id=new_id(), name=user.name, is_personal=True, timezone=user.timezone, created_at=now)
    session.add_all([user, organization])
    try:
        session.flush()
    except IntegrityError as error:
        message = f"There is an account with the address {user.email} already."
        raise EmailTaken(message, field="email") from error
    owned = [organization.id, SYSTEM_ORGANIZATION_ID] if user.is_platform_admin else [organization.id]
    session.add_all(
        Membership(organization_id=organization_id, user_id=user.id, role=Role.OWNER.value, created_at=now)
        for organization_id in owned
    )
    actor = Actor(organization_id=organization.id, role=Role.OWNER, label=user.email, user_id=user.id)
    record(
        session,
        actor=actor,
        action="account.created",
        subject_kind="user",
        subject_id=user.id,
        summary=f"Made the account of {user.name}",
        now=now,
    )
    session.flush()
    return user.id
