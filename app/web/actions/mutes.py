"""Muting a schedule, and telling of it again."""

from datetime import timedelta
from uuid import UUID

from flask import Response, request, url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.notifications.mutes import mute_schedule, unmute_schedule
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import go_to, toast
from app.web.session import local_address

_OFFERED = {"1": "1 hour", "24": "24 hours"}


@route(web, "/schedules/<uuid:schedule_id>/mute", permission=Permission.RUN, methods=["POST"])
def mute(schedule_id: UUID) -> Response:
    """Tell nothing of a schedule for some hours; without hours, tell of it again."""
    session, actor, now, hours = request_session(), current_actor(), request_now(), request.form.get("hours", "")
    back = go_to(local_address(request.form.get("next")) or url_for("web.schedule", schedule_id=schedule_id))
    if hours not in _OFFERED:
        unmute_schedule(session, actor=actor, schedule_id=schedule_id, now=now)
        return toast(back, "It is told of again.")
    until = now + timedelta(hours=int(hours))
    mute_schedule(session, actor=actor, schedule_id=schedule_id, until=until, now=now)
    undo = {"label": "Undo", "url": url_for("web.mute", schedule_id=schedule_id), "post": True}
    return toast(back, f"Muted for {_OFFERED[hours]}.", action=undo)
