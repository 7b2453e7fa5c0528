"""The page behind an invitation's link. What its forms do is in actions/invitation.py."""

from flask import Response, request

from app.core.errors import NotFound
from app.edge.database import roll_back
from app.edge.errors import status_of
from app.edge.identity import request_now, signed_in_session
from app.edge.runtime import request_session, runtime
from app.tenants.joining import InvitationOver, OpenInvitation, read_invitation
from app.web.blueprint import web
from app.web.forms.team import NewAccountForm
from app.web.permissions import route
from app.web.responses import invalid


@route(web, "/invitation", public=True)
def invitation() -> Response:
    """Join: with the account one is signed in with, another one, or a new one."""
    token = request.args.get("token", "")
    try:
        found = find_invitation(token)
    except InvitationOver as error:
        return over_page(error)
    return invitation_page(found, token)


def find_invitation(token: str) -> OpenInvitation:
    """The invitation of a link. Raises InvitationOver."""
    try:
        return read_invitation(request_session(), token=token, now=request_now())
    finally:
        # Nothing was changed yet, and hashing a new password must not wait in a transaction that writes.
        roll_back(runtime().requests)


def invitation_page(
    found: OpenInvitation, token: str, *, status: int = 200, form: NewAccountForm | None = None
) -> Response:
    """What can be done with the link, by whoever looks at it."""
    person = signed_in_session()
    data = {"token": token, "timezone": runtime().settings.default_timezone}
    return invalid(
        "team/invitation.html",
        status=status,
        invitation=found,
        token=token,
        signed_in_as=person.email if person is not None else None,
        form=form or NewAccountForm(None, data=data),
    )


def over_page(error: NotFound) -> Response:
    """Why a link cannot be used."""
    return invalid("team/invitation_over.html", status=status_of(error), message=error.message)
