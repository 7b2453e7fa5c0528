"""What the forms of saved views do: one command each, then back to the list or to all views."""

from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.core.errors import Conflict, Forbidden, Invalid
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.tenants import saved_views as commands
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.base import text_of
from app.web.forms.saved_views import RenameViewForm, SaveViewForm
from app.web.pages.saved_views import parts_sent, save_page, view_page, wanted_list
from app.web.pages.typed_times import pinned
from app.web.permissions import route
from app.web.responses import see_other, toast

# It travels in a cookie, which takes four thousand bytes with all that is in it.
_LONGEST_UNDO = 2_000


@route(web, "/views", permission=Permission.VIEW, methods=["POST"])
def save_view() -> Response:
    """Keep the list that the form names, or the address where an Undo does, and show it."""
    form, list_name = SaveViewForm(formdata=request.values), wanted_list(request.values)
    parts = pinned(parts_sent(list_name))
    try:
        commands.save_view(
            request_session(), actor=current_actor(), list_name=list_name, name=text_of(form.name), query=parts,
            is_shared=bool(form.is_shared.data), now=request_now(),
        )  # fmt: skip
    except (Invalid, Conflict, Forbidden) as error:
        form.show_error(error)
        return save_page(list_name, form, status=status_of(error))
    return toast(see_other(f"web.{list_name.value}", **parts), f"{text_of(form.name).strip()} saved.")


@route(web, "/views/<uuid:view_id>", permission=Permission.VIEW, methods=["POST"])
def rename_view(view_id: UUID) -> Response:
    """Call a view otherwise."""
    form, session, actor = RenameViewForm(), request_session(), current_actor()
    before = commands.get_view(session, actor=actor, view_id=view_id)
    try:
        commands.rename_view(session, actor=actor, view_id=view_id, name=text_of(form.name), now=request_now())
    except (Invalid, Conflict) as error:
        form.show_error(error)
        return view_page(before, form, status=status_of(error))
    return toast(see_other("web.views"), f"{text_of(form.name).strip()} renamed.")


@route(web, "/views/<uuid:view_id>/delete", permission=Permission.VIEW, methods=["POST"])
def delete_view(view_id: UUID) -> Response:
    """Forget a view."""
    session, actor = request_session(), current_actor()
    gone = commands.get_view(session, actor=actor, view_id=view_id)
    commands.delete_view(session, actor=actor, view_id=view_id, now=request_now())
    return toast(see_other("web.views"), f"{gone.name} deleted.", action=_undo(gone))


def _undo(gone: commands.ViewRow) -> dict[str, Any] | None:
    """The button that keeps the same list under the same name once more."""
    said: dict[str, Any] = {"name": gone.name, **({"is_shared": "y"} if gone.is_shared else {}), **gone.query}
    address = url_for("web.save_view", list=gone.list_name.value, **said)
    return {"label": "Undo", "url": address, "post": True} if len(address) <= _LONGEST_UNDO else None
