"""The organizations of a person. Switching and making one are in actions/organizations.py."""

from flask import Response

from app.edge.identity import current_person, current_session
from app.web.blueprint import web
from app.web.forms.team import OrganizationForm
from app.web.organization_menu import own_organizations
from app.web.permissions import route
from app.web.responses import invalid


@route(web, "/organizations", signed_in=True)
def organizations() -> Response:
    """Where the person is a member, and the form to make an organization."""
    return organizations_page()


def organizations_page(*, status: int = 200, form: OrganizationForm | None = None) -> Response:
    """The list; after a refusal with the messages of the form that was sent."""
    return invalid(
        "team/organizations.html",
        status=status,
        rows=own_organizations(),
        current_id=current_session().organization_id,
        form=form or OrganizationForm(None, data={"timezone": current_person().timezone}),
    )
