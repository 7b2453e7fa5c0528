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
from app.tenants.token_queries import list_tokens
from app.tenants.tokens import TokenNotFound
from app.web.blueprint import web
from app.web.forms.team import ROLE_WORDS, InviteForm, OrganizationForm
from app.web.pages.tokens import TokenLine, token_line
from app.web.permissions import route
from app.web.responses import invalid, page

# Enough for every team that looks after its tokens; the command line and the API tell of all.
MOST_TOKENS_SHOWN = 200


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
    tokens: list[TokenLine]
    hidden_tokens: int
    roles: list[tuple[str, str]]
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


@route(web, "/settings/team/tokens/<uuid:token_id>/revoke", permission=Permission.MANAGE_TEAM)
def confirm_team_revocation(token_id: UUID) -> Response:
    """The question before the token of a member is revoked."""
    actor = current_actor()
    for row in list_tokens(request_session(), organization_id=actor.organization_id):
        if row.id == token_id:
            return page("tokens/revoke.html", line=token_line(row, request_now()), is_own=False)
    raise TokenNotFound("There is no such token here. It may have been revoked.")


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
    can_see_tokens = may(actor, Permission.MANAGE_TEAM)
    tokens = list_tokens(session, organization_id=actor.organization_id) if can_see_tokens else []
    return TeamView(
        organization=organization,
        tokens=[token_line(row, now) for row in tokens[:MOST_TOKENS_SHOWN]],
        hidden_tokens=max(len(tokens) - MOST_TOKENS_SHOWN, 0),
        roles=[(role.value.capitalize(), words.partition(": ")[2]) for role, words in ROLE_WORDS.items()],
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
