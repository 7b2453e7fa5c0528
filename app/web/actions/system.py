"""What the buttons of the system page do: pause everything, and let it go on."""

from datetime import datetime
from typing import Any

from flask import Response, request, url_for

from app.core.db import on_commit
from app.core.errors import Invalid
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.pause import Paused, pause_everything, resume_everything, undo_pause
from app.schedules.stops import current_stop
from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import ToastKind, see_other, toast


class PressUnclear(Invalid):
    """The request does not say what is to be taken back."""


@route(web, "/admin/system/pause", platform_admin=True, methods=["POST"])
def pause_all() -> Response:
    """Start nothing from now on."""
    done = pause_everything(
        request_session(),
        actor=current_actor(),
        reason=request.form.get("reason", ""),
        with_queues=request.form.get("queues") == "yes",
        now=request_now(),
    )
    if done.is_nothing or done.at is None:
        return toast(see_other("web.system"), done.words)
    # In the address, because the notice travels in a cookie, which carries no fields.
    pressed: dict[str, Any] = {
        "at": done.at.isoformat(),
        "scheduling": "yes" if done.scheduling else None,
        "queue": done.queues,
    }
    undo = {"label": "Undo", "url": url_for("web.undo_pause_all", **pressed), "post": True}
    return toast(see_other("web.system"), done.words, action=undo)


@route(web, "/admin/system/pause/undo", platform_admin=True, methods=["POST"])
def undo_pause_all() -> Response:
    """Take back what one press of the button paused. What somebody else paused stays so."""
    session = request_session()
    done = undo_pause(session, actor=current_actor(), done=_pressed(), now=request_now())
    on_commit(session, runtime().dispatch)
    if done.is_nothing:
        return toast(see_other("web.system"), "Nothing of that is paused any more.", kind=ToastKind.INFO)
    words = "Everything goes on" if done.scheduling else f"{', '.join(done.queues)} may start runs again"
    stop = current_stop(session)
    why = "" if stop is None else f" Scheduling stays stopped: {stop.stopped_by} had stopped it."
    return toast(see_other("web.system"), f"{words}, as it was before.{why}")


@route(web, "/admin/system/resume", platform_admin=True, methods=["POST"])
def resume_all() -> Response:
    """Plan again, and open the queues that were paused with it."""
    session = request_session()
    done = resume_everything(session, actor=current_actor(), now=request_now())
    on_commit(session, runtime().dispatch)
    words = "Nothing was paused." if done.is_nothing else "Everything goes on, with the slots that come from now on."
    return toast(see_other("web.system"), words)


def _pressed() -> Paused:
    """What the address says was paused, and when. Raises PressUnclear."""
    try:
        at = datetime.fromisoformat(request.args.get("at", ""))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise PressUnclear("This Undo is incomplete. Resume what you want to go on, on the system and queue pages.")
    return Paused(request.args.get("scheduling") == "yes", tuple(request.args.getlist("queue")), at=at)
