"""Recently deleted schedules: the list, and the way back of each."""

from uuid import UUID

from flask import Response, request, url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import fresh_session, request_session
from app.schedules.deleted import KEPT_WORDS, bring_back, list_deleted
from app.schedules.queries import get_schedule
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.formatting import relative_time
from app.web.pages.places import read_place, write_place
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import announce, empty, go_to, is_htmx, page_or_fragment, toast
from app.web.session import local_address

ROWS_PER_PAGE = 50


@route(web, "/schedules/deleted", permission=Permission.VIEW)
def deleted_schedules() -> Response:
    """Those that can come back, the last deleted first."""
    found = list_deleted(
        request_session(), organization_id=current_actor().organization_id, now=request_now(),
        limit=ROWS_PER_PAGE + 1, before=read_place(request.args.get("before", "")),
    )  # fmt: skip
    rows, older = found[:ROWS_PER_PAGE], ""
    if len(found) > len(rows):
        older = url_for("web.deleted_schedules", before=write_place((rows[-1].at, rows[-1].row.id)))
    return page_or_fragment(
        "schedules/deleted.html", "schedules/_deleted.html", rows=rows, kept=KEPT_WORDS, refused=refusals(),
        older_href=older, newest_href=url_for("web.deleted_schedules") if "before" in request.args else "",
        here=request.full_path.rstrip("?"),
    )  # fmt: skip


@route(web, "/schedules/deleted/<uuid:schedule_id>/restore", permission=Permission.VIEW)
def back_from_restoring_deleted(schedule_id: UUID) -> Response:
    """The list has the button."""
    return go_to(url_for("web.deleted_schedules"))


@route(
    web, "/schedules/deleted/<uuid:schedule_id>/restore", permission=Permission.EDIT_SCHEDULES, methods=["POST"]
)  # fmt: skip
def restore_deleted_schedule(schedule_id: UUID) -> Response:
    """Bring a schedule back as it was."""
    actor, now = current_actor(), request_now()
    bring_back(request_session(), actor=actor, schedule_id=schedule_id, now=now)
    row = get_schedule(fresh_session(), organization_id=actor.organization_id, schedule_id=schedule_id)
    words = f"{row.name} is back."
    if row.next_run_at is not None:
        words += f" Next run {relative_time(row.next_run_at, now=now, zone=viewer_zone())}."
    elif not row.enabled:
        words += " It is off, as it was."
    there = url_for("web.schedule", schedule_id=schedule_id)
    view = {"label": "View", "url": there, "post": False}
    if is_htmx():
        return toast(announce(empty(), **{"live:schedules": True}), words, action=view)
    return toast(go_to(local_address(request.values.get("next")) or there), words, action=view)
