"""What the buttons of the system page do: pause everything, and let it go on."""

from flask import Response, request, url_for

from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.pause import pause_everything, resume_everything
from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import see_other, toast


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
    if done.is_nothing:
        return toast(see_other("web.system"), "Everything was paused already.")
    undo = {"label": "Undo", "url": url_for("web.resume_all"), "post": True}
    return toast(see_other("web.system"), "Everything is paused.", action=undo)


@route(web, "/admin/system/resume", platform_admin=True, methods=["POST"])
def resume_all() -> Response:
    """Plan again, and open the queues that were paused with it."""
    session = request_session()
    done = resume_everything(session, actor=current_actor(), now=request_now())
    on_commit(session, runtime().dispatch)
    words = "Nothing was paused." if done.is_nothing else "Everything goes on, with the slots that come from now on."
    return toast(see_other("web.system"), words)
