"""Accepting an invitation: with the account one has, or with a new one. Works as IDENTITY, across organizations."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Forbidden, NotFound
from app.core.ids import digest
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import Invitation, Membership, Organization, User
from app.tenants.roles import Role
from app.tenants.service import make_user

_ASK = "Ask the person who invited you for a new link."


class InvitationOver(NotFound):
    """A link that cannot be used: never made, replaced, used, revoked or expired."""


class InvitationForAnother(Forbidden):
    """The link is for another address than the one that is signed in."""


@dataclass(frozen=True)
class OpenInvitation:
    """What the holder of a link may know. Whether the address has an account is not part of it."""

    id: UUID
    organization_id: UUID
    organization_name: str
    email: str
    role: Role
    invited_by: str | None
    expires_at: datetime


def read_invitation(session: Session, *, token: str, now: datetime) -> OpenInvitation:
    """The invitation of a link. Raises InvitationOver, which says why."""
    query = (
        select(
            Invitation.id,
            Invitation.organization_id,
            Organization.name.label("organization_name"),
            Invitation.email,
            Invitation.role,
            User.name.label("invited_by"),
            Invitation.expires_at,
            Invitation.accepted_at,
            Invitation.revoked_at,
        )
        .join(Organization, Organization.id == Invitation.organization_id)
        .outerjoin(User, User.id == Invitation.invited_by)
        .where(Invitation.token_digest == digest(token))
    )
    row = session.execute(query).mappings().one_or_none()
    if row is None:
        raise InvitationOver(f"This link is not valid: it was mistyped, or replaced by a newer one. {_ASK}")
    facts = dict(row)
    accepted_at, revoked_at = facts.pop("accepted_at"), facts.pop("revoked_at")
    if accepted_at is not None:
        raise InvitationOver("This invitation was accepted already. If it was you, sign in with your account.")
    if revoked_at is not None:
        raise InvitationOver(f"This invitation was revoked. {_ASK}")
    if facts["expires_at"] <= now:
        raise InvitationOver(f"This invitation was good for a week and has expired. {_ASK}")
    return OpenInvitation(**{**facts, "role": Role(facts["role"])})


def accept_invitation(session: Session, *, user_id: UUID, email: str, token: str, now: datetime) -> OpenInvitation:
    """Join with the account of that address. Whoever is a member already stays what they are.

    Raises InvitationOver or InvitationForAnother.
    """
    invitation = read_invitation(session, token=token, now=now)
    if invitation.email != email:
        raise InvitationForAnother(
            f"This invitation is for {invitation.email}, and you are signed in as {email}. "
            "Sign out, then open the link again."
        )
    # The row count decides between two browsers that hold the same link.
    still_open = (
        Invitation.token_digest == digest(token),
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > now,
    )
    used = update(Invitation).where(*still_open).values(accepted_at=now, accepted_by=user_id)
    if count_changed(session, used) != 1:
        raise InvitationOver("This invitation was accepted or revoked a moment ago.")
    _join(session, invitation, user_id, now)
    return invitation


def join_as_new_person(
    session: Session, *, invitation: OpenInvitation, token: str, name: str, password: str, timezone: str, now: datetime
) -> UUID:
    """Make the account of the invited address, with its own organization, and join.

    Raises PersonInvalid, PasswordRefused, EmailTaken or InvitationOver.
    """
    user_id = make_user(
        session,
        email=invitation.email,
        name=name,
        password=password,
        timezone=timezone,
        is_platform_admin=False,
        now=now,
    )
    accept_invitation(session, user_id=user_id, email=invitation.email, token=token, now=now)
    return user_id


def _join(session: Session, invitation: OpenInvitation, user_id: UUID, now: datetime) -> None:
    here = Membership.organization_id == invitation.organization_id, Membership.user_id == user_id
    was_member = session.scalar(select(exists().where(*here)))
    if not was_member:
        session.add(
            Membership(
                organization_id=invitation.organization_id,
                user_id=user_id,
                role=invitation.role.value,
                created_at=now,
            )
        )
    record(
        session,
        actor=Actor(invitation.organization_id, invitation.role, invitation.email, user_id),
        action="invitation.accepted",
        subject_kind="invitation",
        subject_id=invitation.id,
        summary="Was a member already" if was_member else f"Joined as {invitation.role.value}",
        now=now,
    )
    session.flush()
