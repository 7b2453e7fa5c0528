"""Pages of the audit: who did what, of an organization and of the installation itself, and the same as files."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response, request
from sqlalchemy.orm import Session

from app.edge.identity import acting_for_installation, current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.audit_files import WRITERS, read_parts
from app.ops.audit_lines import AuditLine, list_lines
from app.ops.audit_subjects import living_subjects
from app.schedules.deleted import which_can_come_back
from app.tenants.access import Actor, Permission, may
from app.tenants.roster import list_members
from app.web.blueprint import web
from app.web.page_size import rows_per_page
from app.web.pages.audit_search import AuditSearch, read_search
from app.web.pages.audit_view import audit_view, search_href
from app.web.permissions import route
from app.web.responses import go_to, invalid

_MEDIA = {"csv": "text/csv", "json": "application/json"}


@route(web, "/audit", permission=Permission.VIEW_AUDIT)
def audit() -> Response:
    """What was done in the organization, newest first."""
    return _page(request_session(), current_actor(), is_of_installation=False)


@route(web, "/admin/audit", platform_admin=True)
def installation_audit() -> Response:
    """What was done to the installation itself: its queues, its scheduling, what code defines."""
    with acting_for_installation() as (session, actor):
        return _page(session, actor, is_of_installation=True)


@route(web, "/audit.csv", permission=Permission.VIEW_AUDIT)
def audit_csv() -> Response:
    """Everything that the filter of the page lets through, however much it is."""
    return _file(current_actor(), "csv")


@route(web, "/audit.json", permission=Permission.VIEW_AUDIT)
def audit_json() -> Response:
    """The same for programs."""
    return _file(current_actor(), "json")


@route(web, "/admin/audit.csv", platform_admin=True)
def installation_audit_csv() -> Response:
    """The installation's as a file."""
    with acting_for_installation() as (_session, actor):
        return _file(actor, "csv")


@route(web, "/admin/audit.json", platform_admin=True)
def installation_audit_json() -> Response:
    """The same for programs."""
    with acting_for_installation() as (_session, actor):
        return _file(actor, "json")


def _page(session: Session, actor: Actor, *, is_of_installation: bool) -> Response:
    here, search = actor.organization_id, _search()
    if search.is_on_own_clock and not search.problems:
        # An address that means the same to whoever else opens it.
        return go_to(search_href(search, is_of_installation=is_of_installation))
    found = list_lines(
        session, organization_id=here, audit_filter=search.filter, limit=rows_per_page() + 1, before=search.before
    )
    shown = found[: rows_per_page()]
    subjects = living_subjects(session, organization_id=here, rows=[line.row for line in shown])
    view = audit_view(
        shown, search, subjects, has_older=len(found) > len(shown), is_of_installation=is_of_installation,
        people=[row.email for row in list_members(session, organization_id=here)],
        restorable=() if is_of_installation else _restorable(session, shown),
    )  # fmt: skip
    # What could not be read of the address is said; the rest of it holds.
    return invalid("audit/index.html", status=422 if search.problems else 200, view=view)


def _restorable(session: Session, lines: Sequence[AuditLine]) -> Collection[UUID]:
    """The schedules whose deletion is told of and that this person can bring back."""
    if not may(current_actor(), Permission.EDIT_SCHEDULES):
        return ()
    told = (line.row.subject_id for line in lines if line.row.action == "schedule.deleted")
    ids = {schedule_id for schedule_id in told if schedule_id is not None}
    here = current_actor().organization_id
    return which_can_come_back(session, organization_id=here, schedule_ids=ids, now=request_now())


def _file(actor: Actor, form: str) -> Response:
    search = _search()
    # A file that holds more than was asked for would be worse than none.
    search.refuse_problems()
    parts = read_parts(
        runtime().database, organization_id=actor.organization_id, audit_filter=search.filter, user_id=actor.user_id
    )
    response = Response(WRITERS[form](parts), mimetype=_MEDIA[form])
    response.headers["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    return response


def _search() -> AuditSearch:
    given: Mapping[str, Any] = request.args
    return read_search(given)
