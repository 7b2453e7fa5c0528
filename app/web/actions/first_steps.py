"""Putting the checklist of first steps away, and bringing it back."""

from flask import Response, url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.tenants import first_steps
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import see_other, toast


@route(web, "/first-steps/hide", permission=Permission.VIEW, methods=["POST"])
def hide_first_steps() -> Response:
    """For this person alone; others may need them still."""
    first_steps.hide_first_steps(request_session(), actor=current_actor(), now=request_now())
    undo = {"label": "Undo", "url": url_for("web.show_first_steps"), "post": True}
    return toast(see_other("web.overview"), "First steps put away. Help brings them back.", action=undo)


@route(web, "/first-steps/show", permission=Permission.VIEW, methods=["POST"])
def show_first_steps() -> Response:
    """As far as anything of them is left to do."""
    first_steps.show_first_steps(request_session(), actor=current_actor(), now=request_now())
    return toast(see_other("web.overview"), "First steps are back, as far as anything is left to do.")
