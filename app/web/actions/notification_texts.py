"""What the form of a text for messages does."""

from flask import Response

from app.edge.database import roll_back
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.notifications.messages.texts import TextInvalid
from app.notifications.text_changes import forget_text, known_type, save_text
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.notification_texts import TextForm
from app.web.pages.notification_texts import look, preview_part, text_line, text_page
from app.web.permissions import route
from app.web.responses import see_other, toast, wants_fragment

_ONE = "/notifications/texts/<type_name>"


@route(web, _ONE, permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def save_notification_text(type_name: str) -> Response:
    """Say it in these words from now on."""
    type_, form = known_type(type_name), TextForm()
    try:
        save_text(request_session(), actor=current_actor(), type_=type_, text=form.text, now=request_now())
    except TextInvalid as error:
        roll_back(runtime().requests)
        return _refused(type_name, form, error)
    return toast(see_other("web.notification_text", type_name=type_name), "Saved. The next message says it so.")


@route(web, f"{_ONE}/preview", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def preview_notification_text(type_name: str) -> Response:
    """What messages would look like with what was typed. Nothing is saved."""
    line, form = text_line(type_name), TextForm()
    try:
        found = look(line.type, form.text)
    except TextInvalid as error:
        if wants_fragment():
            return preview_part(look(line.type, line.own), is_draft=False, problem=error.message)
        return _refused(type_name, form, error)
    if wants_fragment():
        return preview_part(found, is_draft=True)
    return text_page(line, form, preview=found, is_draft=True)


@route(web, f"{_ONE}/deletion", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def forget_notification_text(type_name: str) -> Response:
    """Say it in Belfry's words again."""
    forget_text(request_session(), actor=current_actor(), type_=known_type(type_name), now=request_now())
    words = "It is said in Belfry's words again. The history keeps the text that was."
    return toast(see_other("web.notification_text", type_name=type_name), words)


def _refused(type_name: str, form: TextForm, error: TextInvalid) -> Response:
    form.show_error(error)
    line = text_line(type_name)
    return text_page(line, form, preview=look(line.type, line.own), status=422)
