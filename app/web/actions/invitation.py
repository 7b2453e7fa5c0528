"""Joining an organization by an invitation's link."""

from flask import Response, request

from app.core.errors import Conflict, Forbidden, Invalid
from app.edge.errors import status_of
from app.edge.identity import begin_browser_session, current_session, request_now
from app.edge.runtime import request_session
from app.schedules.defaults import welcome_person
from app.tenants.joining import InvitationOver, OpenInvitation, accept_invitation, join_as_new_person
from app.tenants.sign_in import start_session
from app.web.actions.organizations import see_organization
from app.web.blueprint import web
from app.web.forms.base import text_of
from app.web.forms.team import NewAccountForm
from app.web.pages.invitation import find_invitation, invitation_page, over_page
from app.web.permissions import route
from app.web.responses import go_to, toast


@route(web, "/invitation", signed_in=True, methods=["POST"])
def accept() -> Response:
    """Join with the account one is signed in with."""
    person = current_session()
    try:
        joined = accept_invitation(
            request_session(),
            user_id=person.user_id,
            email=person.email,
            token=request.form.get("token", ""),
            now=request_now(),
        )
    except InvitationOver as error:
        return over_page(error)
    see_organization(joined.organization_id)
    return toast(go_to("/"), f"Welcome to {joined.organization_name}.")


@route(web, "/invitation/account", public=True, methods=["POST"])
def make_invited_account() -> Response:
    """Make the account of an invited person, join, and sign in."""
    form = NewAccountForm()
    token = text_of(form.token)
    try:
        found = find_invitation(token)
        if not form.validate():
            return invitation_page(found, token, status=422, form=form)
        session_token = _join(found, token, form)
    except InvitationOver as error:
        return over_page(error)
    except (Invalid, Conflict, Forbidden) as error:
        form.show_error(error)
        return invitation_page(found, token, status=status_of(error), form=form)
    begin_browser_session(session_token)
    return toast(go_to("/"), f"Welcome to {found.organization_name}, {text_of(form.name).strip()}.")


def _join(found: OpenInvitation, token: str, form: NewAccountForm) -> str:
    session = request_session()
    user_id = join_as_new_person(
        session,
        invitation=found,
        token=token,
        name=text_of(form.name),
        password=text_of(form.password),
        timezone=text_of(form.timezone),
        now=request_now(),
    )
    welcome_person(session, user_id=user_id, now=request_now())
    return start_session(
        session,
        user_id=user_id,
        email=found.email,
        user_agent=request.user_agent.string,
        now=request_now(),
        organization_id=found.organization_id,
    )
