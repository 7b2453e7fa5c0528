"""What platform admins do to the whole installation: stop and start scheduling, pause and resume a queue."""

from typing import Any

from flask import Response, request, url_for

from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.runs.switches import pause_queue, resume_queue
from app.schedules import stops
from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import see_other, toast


@route(web, "/scheduling/stop", platform_admin=True, methods=["POST"])
def stop_scheduling() -> Response:
    """Plan nothing from now on."""
    reason = request.form.get("reason", "")
    did_stop = stops.stop_scheduling(request_session(), actor=current_actor(), reason=reason, now=request_now())
    words = "All scheduling is stopped." if did_stop else "Scheduling was stopped already."
    return toast(_back("web.queue"), words, action=_undo("web.start_scheduling") if did_stop else None)


@route(web, "/scheduling/start", platform_admin=True, methods=["POST"])
def start_scheduling() -> Response:
    """Plan again."""
    did_start = stops.start_scheduling(request_session(), actor=current_actor(), now=request_now())
    words = "Scheduling is on again." if did_start else "Scheduling was not stopped."
    return toast(_back("web.overview"), words)


@route(web, "/queue/<name>/pause", platform_admin=True, methods=["POST"])
def pause_a_queue(name: str) -> Response:
    """Start nothing of a queue."""
    did_pause = pause_queue(request_session(), actor=current_actor(), name=name, now=request_now())
    words = f"The queue {name} is paused." if did_pause else f"The queue {name} was paused already."
    undo = _undo("web.resume_a_queue", name=name) if did_pause else None
    return toast(see_other("web.queue"), words, action=undo)


@route(web, "/queue/<name>/resume", platform_admin=True, methods=["POST"])
def resume_a_queue(name: str) -> Response:
    """Let a queue start runs again, and what waited in it at once."""
    session = request_session()
    did_resume = resume_queue(session, actor=current_actor(), name=name, now=request_now())
    on_commit(session, runtime().dispatch)
    words = f"The queue {name} is open again." if did_resume else f"The queue {name} was not paused."
    undo = _undo("web.pause_a_queue", name=name) if did_resume else None
    return toast(see_other("web.queue"), words, action=undo)


def _undo(endpoint: str, **where: Any) -> dict[str, Any]:
    return {"label": "Undo", "url": url_for(endpoint, **where), "post": True}


def _back(usual: str) -> Response:
    return see_other("web.code_schedules" if request.form.get("from") == "code" else usual)
