"""Making an organization, and switching to another one."""

from uuid import UUID

from flask import Response

from app.core.errors import Conflict, Invalid
from app.edge.errors import status_of
from app.edge.identity import begin_browser_session, current_actor, current_session, request_now
from app.edge.runtime import request_session
from app.schedules.defaults import give_default_schedules
from app.tenants.founding import found_organization
from app.tenants.switching import switch_organization
from app.web.blueprint import web
from app.web.forms.base import text_of
from app.web.forms.team import OrganizationForm
from app.web.organization_menu import own_organizations
from app.web.pages.organizations import organizations_page
from app.web.permissions import route
from app.web.responses import go_to, see_other, toast


@route(web, "/organizations", signed_in=True, methods=["POST"])
def make_organization() -> Response:
    """Make an organization, and go there to invite people."""
    form = OrganizationForm()
    if not form.validate():
        return organizations_page(status=422, form=form)
    try:
        organization_id = found_organization(
            request_session(),
            actor=current_actor(),
            name=text_of(form.name),
            timezone=text_of(form.timezone),
            now=request_now(),
        )
    except (Invalid, Conflict) as error:
        form.show_error(error)
        return organizations_page(status=status_of(error), form=form)
    give_default_schedules(request_session(), organization_id=organization_id, now=request_now())
    see_organization(organization_id)
    return toast(see_other("web.team"), "Organization made. You are its owner; invite the others now.")


@route(web, "/organizations/<uuid:organization_id>/switch", signed_in=True, methods=["POST"])
def switch_to_organization(organization_id: UUID) -> Response:
    """Let this browser see another organization of the person's."""
    own = {row.id: row.name for row in own_organizations()}
    see_organization(organization_id)
    return toast(go_to("/"), f"You see {own.get(organization_id, 'another organization')} now.")


def see_organization(organization_id: UUID) -> None:
    """Switch this browser. Forms that are open in its other tabs ask again before they do anything elsewhere."""
    token = switch_organization(
        request_session(),
        actor=current_actor(),
        session_id=current_session().session_id,
        organization_id=organization_id,
        now=request_now(),
    )
    begin_browser_session(token)
