"""The queue page: what waits, runs and failed, and the processes that do the work. Buttons are in actions/queue.py."""

from flask import Response, request, url_for

from app.core.scopes import PLATFORM
from app.edge.identity import current_actor, request_now
from app.edge.permissions import schema_note
from app.edge.runtime import request_session, working_as
from app.ops.health import judge
from app.ops.heartbeats import list_processes, with_runs_in_hand
from app.runs.in_hand import count_in_hand
from app.runs.queue_minutes import NO_HOUR, read_minutes
from app.runs.switches import check_queue, queue_names
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.processes import process_lines
from app.web.pages.queue_hour import hour_rows
from app.web.pages.queue_view import is_of_all, overseeing, queue_view
from app.web.permissions import route
from app.web.responses import fragment, page, page_or_fragment


@route(web, "/queue", permission=Permission.VIEW, empty_without_schema=True)
def queue() -> Response:
    """The queue of this organization, or with `of=all` that of all for platform admins. htmx gets what changes."""
    if schema_note():
        return page("overview/unready.html", subject="Queue")
    view = queue_view(request.args)
    context: dict[str, object] = {"view": view}
    if current_actor().is_platform_admin:
        context |= _processes([line.name for line in view.queues])
    return page_or_fragment("queue/index.html", "queue/_queue.html", **context)


@route(web, "/queue/hours/<name>", permission=Permission.VIEW)
def queue_hour(name: str) -> Response:
    """The last hour of a queue as a table: what its picture shows."""
    check_queue(request_session(), name)
    of_all = is_of_all(request.args)
    with overseeing(of_all=of_all) as (session, organization_id):
        found = read_minutes(session, organization_id=organization_id, now=request_now(), queues=[name])
    rows = hour_rows(found.get(name, NO_HOUR), now=request_now())
    back = url_for("web.queue", of="all" if of_all else None)
    return page("queue/hour.html", name=name, rows=rows, back=back)


@route(web, "/queue/processes", platform_admin=True)
def queue_processes() -> Response:
    """The processes of the installation."""
    return fragment("queue/_processes.html", **_processes(queue_names(request_session())))


def _processes(queues: list[str]) -> dict[str, object]:
    now = request_now()
    with working_as(PLATFORM) as session:
        processes = with_runs_in_hand(list_processes(session, now=now), count_in_hand(session))
    health = judge(processes, now=now, queues=queues)
    return {"processes": process_lines(processes, now=now), "health": health}
