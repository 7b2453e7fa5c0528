"""Reads about the team of one organization: its members and its open invitations. Never a password's hash."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Forbidden, NotFound
from app.tenants.access import Actor
from app.tenants.models import Invitation, LoginSession, Membership, Organization, User
from app.tenants.roles import Role, rank

_SYSTEM_TEAM = "Platform admins make up this organization, and nobody else. Make one with: belfry user create"


class MemberNotFound(NotFound):
    """Nobody here has this id or address."""


class InvitationNotFound(NotFound):
    """There is no such open invitation in this organization."""


class TeamOfNobody(Conflict):
    """This organization has a fixed set of members."""


class RoleAboveOwn(Forbidden):
    """A role is given, changed and taken away by those who have at least this role."""


@dataclass(frozen=True)
class TeamOrganization:
    """The organization whose team it is."""

    id: UUID
    name: str
    timezone: str
    is_personal: bool
    is_system: bool

    @property
    def has_team(self) -> bool:
        """Whether people can be invited and removed."""
        return not (self.is_personal or self.is_system)


@dataclass(frozen=True)
class MemberRow:
    """Somebody in the organization. `seen_at` is None for whoever is signed in nowhere here."""

    user_id: UUID
    email: str
    name: str
    role: Role
    since: datetime
    seen_at: datetime | None
    is_disabled: bool


@dataclass(frozen=True)
class InvitationRow:
    """An invitation that nobody accepted or revoked yet. `invited_by` is None for the command line."""

    id: UUID
    email: str
    role: Role
    invited_by: str | None
    created_at: datetime
    expires_at: datetime

    def is_expired(self, now: datetime) -> bool:
        """Whether its link has stopped working."""
        return self.expires_at <= now


def get_organization(session: Session, *, organization_id: UUID) -> TeamOrganization:
    """The organization itself."""
    query = select(
        Organization.id, Organization.name, Organization.timezone, Organization.is_personal, Organization.is_system
    ).where(Organization.id == organization_id)
    return TeamOrganization(**session.execute(query).mappings().one())


def list_members(session: Session, *, organization_id: UUID) -> list[MemberRow]:
    """The members, those who may do most first."""
    rows = session.execute(_members(organization_id).order_by(func.lower(User.name), User.email)).mappings()
    found = [_member(dict(row)) for row in rows]
    return sorted(found, key=lambda member: rank(member.role), reverse=True)


def get_member(session: Session, *, organization_id: UUID, user_id: UUID) -> MemberRow:
    """One member. Raises MemberNotFound."""
    return _one(session, organization_id, User.id == user_id)


def hold_member(session: Session, *, organization_id: UUID, user_id: UUID) -> MemberRow:
    """The same, who cannot leave until this is committed. SQLite has one writer at a time anyway."""
    mine = Membership.organization_id == organization_id, Membership.user_id == user_id
    session.execute(select(Membership.user_id).where(*mine).with_for_update(read=True, key_share=True))
    return get_member(session, organization_id=organization_id, user_id=user_id)


def find_member(session: Session, *, organization_id: UUID, email: str) -> MemberRow:
    """The member with this address, in any case. Raises MemberNotFound."""
    return _one(session, organization_id, User.email == email.strip().lower())


def list_invitations(session: Session, *, organization_id: UUID) -> list[InvitationRow]:
    """The open invitations, newest first, those that have expired included."""
    rows = session.execute(_invitations(organization_id).order_by(Invitation.created_at.desc())).mappings()
    return [_invitation(dict(row)) for row in rows]


def get_invitation(session: Session, *, organization_id: UUID, invitation_id: UUID) -> InvitationRow:
    """One open invitation. Raises InvitationNotFound."""
    query = _invitations(organization_id).where(Invitation.id == invitation_id)
    row = session.execute(query).mappings().one_or_none()
    if row is None:
        raise InvitationNotFound("There is no such open invitation here. It may have been accepted or revoked.")
    return _invitation(dict(row))


def find_invitation(session: Session, *, organization_id: UUID, email: str) -> InvitationRow:
    """The open invitation of an address, in any case. Raises InvitationNotFound."""
    query = _invitations(organization_id).where(Invitation.email == email.strip().lower())
    row = session.execute(query).mappings().one_or_none()
    if row is None:
        raise InvitationNotFound(f"There is no open invitation for {email.strip()} here.")
    return _invitation(dict(row))


def refuse_without_team(session: Session, *, organization_id: UUID) -> None:
    """Raises TeamOfNobody for an organization whose members are fixed."""
    organization = get_organization(session, organization_id=organization_id)
    if organization.is_personal:
        raise TeamOfNobody("A personal organization has no team. Make an organization, and invite people there.")
    if organization.is_system:
        raise TeamOfNobody(_SYSTEM_TEAM)


def refuse_above_own(actor: Actor, role: Role) -> None:
    """Raises RoleAboveOwn when the actor has a smaller role than this one."""
    if rank(role) > rank(actor.role):
        raise RoleAboveOwn(
            f"Your role here is {actor.role.value}, so you cannot give, change or take away the role {role.value}. "
            f"Ask an owner of the organization."
        )


def open_in(organization_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """What makes an invitation of an organization open; it may have expired."""
    return (
        Invitation.organization_id == organization_id,
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
    )


def _one(session: Session, organization_id: UUID, condition: ColumnElement[bool]) -> MemberRow:
    row = session.execute(_members(organization_id).where(condition)).mappings().one_or_none()
    if row is None:
        raise MemberNotFound("There is no such member in this organization.")
    return _member(dict(row))


def _members(organization_id: UUID) -> Select[*tuple[Any, ...]]:
    seen_at = (
        select(func.max(LoginSession.seen_at))
        .where(LoginSession.organization_id == organization_id, LoginSession.user_id == Membership.user_id)
        .scalar_subquery()
    )
    # Column by column: whoever works for a tenant may not read the hash of a password.
    columns = (
        User.id.label("user_id"),
        User.email,
        User.name,
        Membership.role,
        Membership.created_at.label("since"),
        seen_at.label("seen_at"),
        User.disabled_at.is_not(None).label("is_disabled"),
    )
    joined = select(*columns).join(Membership, Membership.user_id == User.id)
    return joined.where(Membership.organization_id == organization_id)


def _member(row: dict[str, object]) -> MemberRow:
    return MemberRow(**{**row, "role": Role(str(row["role"]))})  # type: ignore[arg-type]  # the columns above


def _invitations(organization_id: UUID) -> Select[*tuple[Any, ...]]:
    columns = (
        Invitation.id,
        Invitation.email,
        Invitation.role,
        User.name.label("invited_by"),
        Invitation.created_at,
        Invitation.expires_at,
    )
    return select(*columns).outerjoin(User, User.id == Invitation.invited_by).where(*open_in(organization_id))


def _invitation(row: dict[str, object]) -> InvitationRow:
    return InvitationRow(**{**row, "role": Role(str(row["role"]))})  # type: ignore[arg-type]  # the columns above
