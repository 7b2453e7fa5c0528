"""Inviting people to an organization: the inviting side. Accepting is in joining.py.

The link's token is shown once, to whoever invites; only its digest is kept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict
from app.core.ids import digest, new_id, new_token
from app.tenants.access import Actor, Permission, require
from app.tenants.audit import record
from app.tenants.models import Invitation, Membership, User
from app.tenants.people import clean_email
from app.tenants.roles import Role
from app.tenants.roster import (
    InvitationNotFound,
    InvitationRow,
    get_invitation,
    open_in,
    refuse_above_own,
    refuse_without_team,
)

INVITATION_LIFE = timedelta(days=7)


class AlreadyMember(Conflict):
    """The address belongs to a member."""


class AlreadyInvited(Conflict):
    """There is an open invitation for the address."""


class OwnRoleChanged(Conflict):
    """Whoever invites got another role, or was removed, since their request began."""


@dataclass(frozen=True)
class NewInvitation:
    """An invitation with the token of its link, which nobody can read again."""

    id: UUID
    token: str
    email: str
    role: Role
    expires_at: datetime


def invite(session: Session, *, actor: Actor, email: str, role: Role, now: datetime) -> NewInvitation:
    """Invite an address.

    Raises PersonInvalid, RoleAboveOwn, TeamOfNobody, OwnRoleChanged, AlreadyMember or AlreadyInvited.
    """
    require(actor, Permission.MANAGE_TEAM)
    refuse_above_own(actor, role)
    refuse_without_team(session, organization_id=actor.organization_id)
    address = clean_email(email)
    _hold_own_role(session, actor)
    _refuse_member(session, actor.organization_id, address)
    # One that has expired only stands in the way of the new one.
    expired = Invitation.email == address, Invitation.expires_at <= now
    session.execute(update(Invitation).where(*open_in(actor.organization_id), *expired).values(revoked_at=now))
    made = NewInvitation(new_id(), new_token(), address, role, now + INVITATION_LIFE)
    _store(session, actor, made, now)
    _note(session, actor, "invitation.created", made.id, f"Invited {address} as {role.value}", now)
    return made


def renew_invitation(session: Session, *, actor: Actor, invitation_id: UUID, now: datetime) -> NewInvitation:
    """A new link for an open invitation, good for another week; the old one stops working.

    Raises InvitationNotFound, RoleAboveOwn or OwnRoleChanged.
    """
    found = _open(session, actor, invitation_id)
    _hold_own_role(session, actor)
    made = NewInvitation(found.id, new_token(), found.email, found.role, now + INVITATION_LIFE)
    values = {"token_digest": digest(made.token), "expires_at": made.expires_at, "invited_by": actor.user_id}
    _change(session, actor, found, values)
    _note(session, actor, "invitation.renewed", found.id, f"Made a new link for {found.email}", now)
    return made


def revoke_invitation(session: Session, *, actor: Actor, invitation_id: UUID, now: datetime) -> None:
    """End an open invitation. Raises InvitationNotFound or RoleAboveOwn."""
    found = _open(session, actor, invitation_id)
    _change(session, actor, found, {"revoked_at": now})
    _note(session, actor, "invitation.revoked", found.id, f"Revoked the invitation of {found.email}", now)


def _open(session: Session, actor: Actor, invitation_id: UUID) -> InvitationRow:
    require(actor, Permission.MANAGE_TEAM)
    found = get_invitation(session, organization_id=actor.organization_id, invitation_id=invitation_id)
    refuse_above_own(actor, found.role)
    return found


def _hold_own_role(session: Session, actor: Actor) -> None:
    """Let nobody change the actor's role until this is committed: whoever then does finds the link, and ends it."""
    if actor.user_id is None:
        return
    mine = Membership.organization_id == actor.organization_id, Membership.user_id == actor.user_id
    held = select(Membership.role).where(*mine).with_for_update(read=True)
    if session.execute(held).scalar_one_or_none() != actor.role:
        raise OwnRoleChanged("Your own role here was changed a moment ago, so nobody was invited. Look again.")


def _change(session: Session, actor: Actor, found: InvitationRow, values: dict[str, object]) -> None:
    still_open = Invitation.id == found.id, *open_in(actor.organization_id)
    if count_changed(session, update(Invitation).where(*still_open).values(**values)) != 1:
        raise InvitationNotFound(f"The invitation of {found.email} was accepted or revoked a moment ago.")


def _refuse_member(session: Session, organization_id: UUID, email: str) -> None:
    here = Membership.organization_id == organization_id, User.email == email
    query = select(Membership.user_id).join(User, User.id == Membership.user_id).where(*here)
    if session.execute(query).first() is not None:
        raise AlreadyMember(f"{email} is a member already.", field="email")


def _store(session: Session, actor: Actor, made: NewInvitation, now: datetime) -> None:
    row = Invitation(
        id=made.id,
        organization_id=actor.organization_id,
        email=made.email,
        role=made.role.value,
        token_digest=digest(made.token),
        invited_by=actor.user_id,
        created_at=now,
        expires_at=made.expires_at,
    )
    try:
        # The unique key decides between two people who invite the same address at once.
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        message = f"{made.email} is invited already. Make a new link for that invitation, or revoke it."
        raise AlreadyInvited(message, field="email") from error


def _note(session: Session, actor: Actor, action: str, invitation_id: UUID, summary: str, now: datetime) -> None:
    record(
        session,
        actor=actor,
        action=action,
        subject_kind="invitation",
        subject_id=invitation_id,
        summary=summary,
        now=now,
    )
