"""The team of an organization: members, open invitations, the organization itself. Its forms are in actions/team.py."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.tenants.access import Actor, Permission, may
from app.tenants.invitations import NewInvitation
from app.tenants.roles import Role, rank, roles_up_to
from app.tenants.roster import (
    InvitationRow,
    MemberRow,
    TeamOrganization,
    get_member,
    get_organization,
    list_invitations,
    list_members,
)
from app.web.blueprint import web
from app.web.forms.team import InviteForm, OrganizationForm
from app.web.permissions import route
from app.web.responses import invalid, page


@dataclass(frozen=True)
class MemberLine:
    """A member as the table shows them. `roles` are those the viewer may give; none where the role is fixed."""

    member: MemberRow
    is_self: bool
    is_only_owner: bool
    roles: tuple[Role, ...]
    can_remove: bool


@dataclass(frozen=True)
class InvitationLine:
    """An open invitation as the table shows it."""

    invitation: InvitationRow
    is_expired: bool
    can_change: bool


@dataclass(frozen=True)
class TeamView:
    """All that the page shows of the stored team."""

    organization: TeamOrganization
    members: list[MemberLine]
    invitations: list[InvitationLine]
    can_invite: bool
    can_revise: bool


@route(web, "/settings/team", permission=Permission.VIEW)
def team() -> Response:
    """Who is in the organization, and who is invited."""
    return team_page()


@route(web, "/settings/team/members/<uuid:user_id>/remove", permission=Permission.VIEW)
def confirm_removal(user_id: UUID) -> Response:
    """The question before a member is removed, or leaves."""
    actor = current_actor()
    session = request_session()
    return page(
        "team/remove.html",
        member=get_member(session, organization_id=actor.organization_id, user_id=user_id),
        organization=get_organization(session, organization_id=actor.organization_id),
        is_self=user_id == actor.user_id,
    )


def team_page(
    *,
    status: int = 200,
    problem: str = "",
    invite: InviteForm | None = None,
    organization: OrganizationForm | None = None,
) -> Response:
    """The team; after a refusal with what went wrong, and with the messages of the form that was sent."""
    actor = current_actor()
    view = _view(actor, request_now())
    stored = {"name": view.organization.name, "timezone": view.organization.timezone}
    return invalid(
        "team/index.html",
        status=status,
        view=view,
        problem=problem,
        # Without form data, or the one form would be filled with what was typed into the other.
        invite=invite or InviteForm(roles_up_to(actor.role), formdata=None, data={"role": Role.OPERATOR.value}),
        organization=organization or OrganizationForm(None, data=stored),
    )


def link_page(made: NewInvitation) -> Response:
    """The link of an invitation, shown this once."""
    link = f"{runtime().settings.public_url}/invitation?token={made.token}"
    return page("team/link.html", invitation=made, link=link)


def _view(actor: Actor, now: datetime) -> TeamView:
    session = request_session()
    organization = get_organization(session, organization_id=actor.organization_id)
    members = list_members(session, organization_id=actor.organization_id)
    can_invite = organization.has_team and may(actor, Permission.MANAGE_TEAM)
    owners = sum(member.role is Role.OWNER for member in members)
    # Who is invited concerns only those who may do something about it: an address is nobody else's business.
    invited = list_invitations(session, organization_id=actor.organization_id) if can_invite else []
    return TeamView(
        organization=organization,
        members=[_member_line(member, actor, owners, can_change=can_invite) for member in members],
        invitations=[_invitation_line(invitation, actor, now) for invitation in invited],
        can_invite=can_invite,
        can_revise=may(actor, Permission.MANAGE_ORGANIZATION) and not organization.is_system,
    )


def _member_line(member: MemberRow, actor: Actor, owners: int, *, can_change: bool) -> MemberLine:
    is_self = member.user_id == actor.user_id
    is_only_owner = member.role is Role.OWNER and owners == 1
    can_change = can_change and rank(member.role) <= rank(actor.role) and not is_only_owner
    return MemberLine(
        member=member,
        is_self=is_self,
        is_only_owner=is_only_owner,
        roles=roles_up_to(actor.role) if can_change else (),
        can_remove=can_change and not is_self,
    )


def _invitation_line(invitation: InvitationRow, actor: Actor, now: datetime) -> InvitationLine:
    return InvitationLine(
        invitation=invitation,
        is_expired=invitation.is_expired(now),
        can_change=rank(invitation.role) <= rank(actor.role),
    )
