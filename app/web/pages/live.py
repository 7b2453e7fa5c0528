"""What keeps open pages fresh: the version counters that live.js asks for, and the scheduler's banner."""

from typing import Any

from flask import Response, g, jsonify, request

from app.edge.database import SAFE_METHODS
from app.edge.identity import current_actor, request_now, signed_in_session
from app.edge.runtime import request_session
from app.events.service import Topic, latest_event_ids
from app.ops.heartbeats import last_scheduler_beat
from app.web.blueprint import web
from app.web.daemon import health_of, scheduler_notice
from app.web.permissions import route
from app.web.responses import empty, fragment, wants_fragment


@route(web, "/live", signed_in=True)
def live() -> Response:
    """The counters as JSON; nothing when they are still what the page knows."""
    counters = read_counters()
    # In the order in which they are written as JSON, which is the order in which the script sends them back.
    known = ".".join(str(counters[name]) for name in sorted(counters))
    return empty() if request.args.get("since") == known else jsonify(counters)


@route(web, "/live/scheduler", signed_in=True)
def scheduler_banner() -> Response:
    """The banner about a silent scheduler, or nothing."""
    return fragment("overview/_scheduler_notice.html")


def read_counters() -> dict[str, int]:
    """One number for each thing that pages watch; another number means that it changed."""
    session = request_session()
    newest = latest_event_ids(session, organization_id=current_actor().organization_id)
    return {
        "runs": newest[Topic.RUNS],
        "queue": newest[Topic.RUNS],
        # A renamed job changes the lists of schedules too.
        "schedules": max(newest[Topic.SCHEDULES], newest[Topic.JOBS]),
        "health": int(health_of(last_scheduler_beat(session), now=request_now())),
    }


@web.before_request
def _remember_counters() -> None:
    # Read before the page's own queries: a change in between is then noticed as news, not missed.
    is_page = request.method in SAFE_METHODS and not wants_fragment() and request.endpoint != "web.live"
    if is_page and signed_in_session() is not None:
        g.live_counters = read_counters()


@web.app_context_processor
def _context() -> dict[str, Any]:
    return {"live_counters": g.get("live_counters"), "scheduler_notice": scheduler_notice}
