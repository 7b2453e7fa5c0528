"""What the forms of quiet hours, the daily summary and maintenance do."""

from uuid import UUID

from flask import Response

from app.core.errors import Invalid
from app.edge.database import roll_back
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.notifications.telling_settings import add_window, end_window, save_settings
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.forms.notification_settings import WindowForm, telling_form
from app.web.pages.notification_settings import read_told, settings_page, told_channels
from app.web.permissions import route
from app.web.responses import see_other, toast

# What the commands call a field, where the form calls it otherwise.
_FIELDS = {"summary_minute": "summary_at", "zone": "timezone", "scope_value": "scope_name", "tags": "scope_name"}


@route(web, "/notifications/settings", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def save_notification_settings() -> Response:
    """Settle quiet hours and the daily summary."""
    form = telling_form(read_told(), told_channels())
    try:
        save_settings(request_session(), actor=current_actor(), draft=form.draft(), now=request_now())
    except Invalid as error:
        roll_back(runtime().requests)
        error.field = _FIELDS.get(error.field or "", error.field)
        form.show_error(error)
        return settings_page(status=422, telling=form)
    return toast(see_other("web.notification_settings"), "Quiet hours and the summary are saved.")


@route(web, "/notifications/maintenance", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def add_maintenance() -> Response:
    """A time in which nobody is told of trouble."""
    form, session, actor = WindowForm(), request_session(), current_actor()
    try:
        draft = form.draft(session, actor.organization_id, zone=viewer_zone())
        add_window(session, actor=actor, draft=draft, now=request_now())
    except Invalid as error:
        roll_back(runtime().requests)
        error.field = _FIELDS.get(error.field or "", error.field)
        form.show_error(error)
        return settings_page(status=422, window=form)
    return toast(see_other("web.notification_settings"), "Nobody is told of trouble in that time. Runs go on.")


@route(
    web, "/notifications/maintenance/<uuid:window_id>/end", permission=Permission.MANAGE_NOTIFICATIONS,
    methods=["POST"],
)  # fmt: skip
def end_maintenance(window_id: UUID) -> Response:
    """End one now, or take away one that has not begun."""
    end_window(request_session(), actor=current_actor(), window_id=window_id, now=request_now())
    return toast(see_other("web.notification_settings"), "Ended. What is wrong is told again.")
