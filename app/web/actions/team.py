"""What the forms of the team page do."""

from uuid import UUID

from flask import Response, request, url_for

from app.core.errors import AppError, Conflict, Forbidden, Invalid
from app.edge.database import roll_back
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.leaving import left_words
from app.ops.leaving import remove_member as remove_from_organization
from app.schedules.owners import NOBODY
from app.tenants import founding, invitations, members, tokens
from app.tenants.access import Permission
from app.tenants.roles import Role, rank, roles_up_to
from app.tenants.roster import get_member, get_organization
from app.web.blueprint import web
from app.web.forms.base import BaseForm, text_of
from app.web.forms.team import InviteForm, OrganizationForm, RoleForm
from app.web.pages.team import link_page, team_page
from app.web.permissions import route
from app.web.responses import go_to, see_other, toast
from app.web.whereabouts import expect_move


@route(web, "/settings/team/invitations", permission=Permission.MANAGE_TEAM, methods=["POST"])
def invite_person() -> Response:
    """Invite somebody, and show the link."""
    form = InviteForm(roles_up_to(current_actor().role))
    if not form.validate():
        return team_page(status=422, invite=form)
    try:
        made = invitations.invite(
            request_session(),
            actor=current_actor(),
            email=text_of(form.email),
            role=Role(text_of(form.role)),
            now=request_now(),
        )
    except (Invalid, Conflict) as error:
        _forget(error, form)
        return team_page(status=status_of(error), invite=form)
    return link_page(made)


@route(web, "/settings/team/invitations/<uuid:invitation_id>/link", permission=Permission.MANAGE_TEAM, methods=["POST"])
def renew_invitation(invitation_id: UUID) -> Response:
    """Make a new link for an invitation, and show it."""
    made = invitations.renew_invitation(
        request_session(), actor=current_actor(), invitation_id=invitation_id, now=request_now()
    )
    return link_page(made)


@route(
    web, "/settings/team/invitations/<uuid:invitation_id>/revoke", permission=Permission.MANAGE_TEAM, methods=["POST"]
)
def revoke_invitation(invitation_id: UUID) -> Response:
    """End an invitation."""
    invitations.revoke_invitation(
        request_session(), actor=current_actor(), invitation_id=invitation_id, now=request_now()
    )
    return toast(see_other("web.team"), "Invitation revoked. Its link no longer works.")


@route(web, "/settings/team/members/<uuid:user_id>/role", permission=Permission.MANAGE_TEAM, methods=["POST"])
def change_member_role(user_id: UUID) -> Response:
    """Give a member another role."""
    # The way back of a toast is an address alone, which names the role behind the `?`.
    form = RoleForm(request.values)
    if not form.validate():
        return team_page(status=422, problem="Choose one of the roles.")
    role = Role(text_of(form.role))
    session, actor = request_session(), current_actor()
    try:
        before = get_member(session, organization_id=actor.organization_id, user_id=user_id)
        members.change_role(session, actor=actor, user_id=user_id, role=role, now=request_now())
    except (Conflict, Forbidden) as error:
        _forget(error)
        return team_page(status=status_of(error), problem=error.message)
    if before.role is role:
        return toast(see_other("web.team"), f"{before.name} has this role already.")
    said = f"{before.name} is {role.value} now, from the next click on."
    back = url_for("web.change_member_role", user_id=user_id, role=before.role.value)
    may_go_back = user_id != actor.user_id or rank(role) >= rank(Role.ADMIN)
    undo = {"label": "Undo", "url": back, "post": True} if may_go_back else None
    return toast(see_other("web.team"), said, action=undo)


@route(web, "/settings/team/members/<uuid:user_id>/remove", permission=Permission.VIEW, methods=["POST"])
def remove_member(user_id: UUID) -> Response:
    """Remove a member, or leave."""
    actor = current_actor()
    organization = get_organization(request_session(), organization_id=actor.organization_id)
    try:
        left = remove_from_organization(request_session(), actor=actor, user_id=user_id, now=request_now())
    except (Conflict, Forbidden) as error:
        _forget(error)
        return team_page(status=status_of(error), problem=error.message)
    if user_id == actor.user_id:
        expect_move()
        return toast(go_to("/"), f"You left {organization.name}.")
    said = f"Member removed. Their browsers and API tokens have no access any more. {left_words(left)}".strip()
    action = {"label": "Show them", "url": url_for("web.schedules", owner=NOBODY), "post": False} if left else None
    return toast(see_other("web.team"), said, action=action)


@route(web, "/settings/team/tokens/<uuid:token_id>/revoke", permission=Permission.MANAGE_TEAM, methods=["POST"])
def revoke_team_token(token_id: UUID) -> Response:
    """End a token of any member."""
    tokens.revoke_token(request_session(), actor=current_actor(), token_id=token_id, now=request_now())
    return toast(see_other("web.team"), "Token revoked. Programs that use it are refused from now on.")


@route(web, "/settings/team/organization", permission=Permission.MANAGE_ORGANIZATION, methods=["POST"])
def revise_organization() -> Response:
    """Change name and time zone of the organization."""
    form = OrganizationForm()
    if not form.validate():
        return team_page(status=422, organization=form)
    try:
        founding.revise_organization(
            request_session(),
            actor=current_actor(),
            name=text_of(form.name),
            timezone=text_of(form.timezone),
            now=request_now(),
        )
    except (Invalid, Conflict) as error:
        _forget(error, form)
        return team_page(status=status_of(error), organization=form)
    return toast(see_other("web.team"), "Organization saved.")


def _forget(error: AppError, form: BaseForm | None = None) -> None:
    """Take back what a refused command did before it was refused: the page that follows shows the stored team."""
    roll_back(runtime().requests)
    if form is not None:
        form.show_error(error)
