"""Muting a schedule or a job, and telling of it again."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from flask import Response, request, url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.notifications.mutes import LONGEST_MUTE, mute_job, mute_schedule, unmute_job, unmute_schedule
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import go_to, toast
from app.web.session import local_address

_HOURS = {"1": "1 hour", "24": "24 hours"}
_SUCCESS = "success"


@route(web, "/schedules/<uuid:schedule_id>/mute", permission=Permission.RUN, methods=["POST"])
def mute(schedule_id: UUID) -> Response:
    """Tell nothing of a schedule for some hours or until it succeeds; with neither, tell of it again."""
    here = url_for("web.schedule", schedule_id=schedule_id)
    undo = url_for("web.mute", schedule_id=schedule_id)
    return _done(mute_schedule, unmute_schedule, {"schedule_id": schedule_id}, here=here, undo=undo)


@route(web, "/jobs/<uuid:job_id>/mute", permission=Permission.RUN, methods=["POST"])
def mute_all_of_job(job_id: UUID) -> Response:
    """The same of all runs of a job."""
    undo = url_for("web.mute_all_of_job", job_id=job_id)
    return _done(mute_job, unmute_job, {"job_id": job_id}, here=url_for("web.job", job_id=job_id), undo=undo)


def _done(
    begin: Callable[..., None], end: Callable[..., bool], which: dict[str, UUID], *, here: str, undo: str
) -> Response:  # fmt: skip
    now, chosen = request_now(), request.form.get("hours", "")
    it = {"actor": current_actor(), "now": now, **which}
    back = go_to(local_address(request.form.get("next")) or here)
    if chosen == _SUCCESS:
        begin(request_session(), until=now + LONGEST_MUTE, until_success=True, **it)
        words = f"Muted until it succeeds, {LONGEST_MUTE.days} days at most."
    elif chosen in _HOURS:
        begin(request_session(), until=now + timedelta(hours=int(chosen)), **it)
        words = f"Muted for {_HOURS[chosen]}."
    else:
        end(request_session(), **it)
        return toast(back, "It is told of again.")
    return toast(back, words, action={"label": "Undo", "url": undo, "post": True})
