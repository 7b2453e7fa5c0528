"""What keeps open pages fresh: the version counters that live.js asks for, and the banners about scheduling."""

from typing import Any

from flask import Response, g, jsonify, request

from app.edge.database import SAFE_METHODS
from app.edge.identity import current_actor, request_now, signed_in_session
from app.events.service import Topic
from app.web.blueprint import web
from app.web.daemon import SchedulerHealth, health_of, news, scheduler_notice, scheduling_stop, stop_words
from app.web.pages.glances import own_attention, own_overdue
from app.web.permissions import route
from app.web.responses import empty, fragment, go_to, wants_fragment

# As in worst_state.js, which keeps up what the page says at first.
WORST_FIRST = ("failing", "late")


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


@route(web, "/live/scheduling", signed_in=True)
def scheduling_banner() -> Response:
    """The banner while all scheduling is stopped, or nothing."""
    return fragment("overview/_scheduling_stop.html")


@route(web, "/live/organization", signed_in=True)
def changed_organization() -> Response:
    """Where a page goes whose browser was switched to another organization in another tab."""
    is_same = request.args.get("seen") == str(current_actor().organization_id)
    return empty() if is_same else go_to("/")


def read_counters() -> dict[str, int]:
    """One number for each thing that pages watch; another number means that it changed."""
    found, needs = news(), own_attention()
    # How scheduling fares is one number: silence, and behind that whether it is stopped, whether it waits, and how
    # many queues are paused, because the banner says what still starts.
    waits = int(found.stop is not None) + 2 * int(found.hold is not None)
    waits += 4 * (2 * found.paused_queues + int(found.open_queues == 0))
    fares = int(health_of(found.beat_at, now=request_now())) + len(SchedulerHealth) * waits
    return {
        "runs": found.newest[Topic.RUNS],
        "queue": found.newest[Topic.RUNS],
        # A renamed job changes the lists of schedules too.
        "schedules": max(found.newest[Topic.SCHEDULES], found.newest[Topic.JOBS]),
        "health": fares,
        "failing": needs.failing,
        "late": needs.late,
        "broken": found.broken_connections,
        "incidents": found.open_incidents,
        "told": found.told,
        # Another number when the browser sees another organization: no larger than what scripts count exactly.
        "organization": current_actor().organization_id.int % 2**31,
    }


def worst_state(counters: dict[str, int] | None) -> str:
    """What a page's title and icon say of the schedules: failing, late, or nothing."""
    return next((state for state in WORST_FIRST if counters and counters[state]), "")


@web.before_request
def _remember_counters() -> None:
    # Read before the page's own queries: a change in between is then noticed as news, not missed.
    is_page = request.method in SAFE_METHODS and not wants_fragment() and request.endpoint != "web.live"
    if is_page and signed_in_session() is not None:
        g.live_counters = read_counters()


@web.app_context_processor
def _context() -> dict[str, Any]:
    return {
        "live_counters": g.get("live_counters"),
        "worst": worst_state(g.get("live_counters")),
        "scheduler_notice": lambda: scheduler_notice(own_overdue),
        "scheduling_stop": scheduling_stop,
        "stop_words": stop_words,
    }
