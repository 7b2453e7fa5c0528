"""What the buttons of bulk actions do: select, start, stop and undo, each by one command."""

from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.core.db import on_commit
from app.core.errors import Conflict, Invalid
from app.edge.database import roll_back
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.bulk import service
from app.ops.bulk.carrying import carry_at_once
from app.ops.bulk.queries import BulkRow, get_bulk_action
from app.ops.bulk.runs import RUNS
from app.ops.bulk.service import SelectionInvalid
from app.ops.schedule_glances import matching_in_order
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.bulk import BulkForm
from app.web.pages.bulk import fresh_form, paced, question_page
from app.web.pages.schedule_search import read_schedule_search
from app.web.permissions import route
from app.web.responses import ToastKind, announce, close_dialog, empty, go_to, is_htmx, see_other, toast
from app.web.session import local_address


@route(web, "/schedules/selection", permission=Permission.RUN, methods=["POST"])
def select_schedules() -> Response:
    """Keep the ticked schedules, or all that the filter takes at this moment, and ask about what was pressed."""
    is_all = request.form.get("all") == "yes"
    try:
        bulk_id = _select(_matching() if is_all else _ticked())
    except SelectionInvalid as error:
        if not is_htmx():
            raise
        return toast(empty(), error.message, kind=ToastKind.ERROR)
    if is_all:
        return see_other("web.bulk_action", bulk_id=bulk_id)
    kind = service.find_kind(request.form.get("action", ""))
    if is_htmx():
        return question_page(bulk_id, kind, fresh_form())
    return see_other("web.confirm_bulk_action", bulk_id=bulk_id, action=kind.name)


@route(web, "/bulk/<uuid:bulk_id>/start", permission=Permission.RUN, methods=["POST"])
def start_bulk_action(bulk_id: UUID) -> Response:
    """Do it, a small selection at once, of a larger one the first part; the rest goes on by itself."""
    session, actor, now = request_session(), current_actor(), request_now()
    kind, form = service.find_kind(request.form.get("action", "")), BulkForm()
    try:
        service.start(
            session, actor=actor, bulk_id=bulk_id, kind=kind.name, parameters=form.parameters_of(kind.name), now=now,
            reason=form.reason.data or "", at_once=form.wants_all_at_once, per_minute=paced(kind, form.pace.data),
            counted=form.counted,
        )  # fmt: skip
    except (Invalid, Conflict) as error:
        roll_back(runtime().requests)
        return question_page(bulk_id, kind, form, error=error)
    return _told(_carry(bulk_id))


@route(web, "/bulk/<uuid:bulk_id>/stop", permission=Permission.RUN, methods=["POST"])
def stop_bulk_action(bulk_id: UUID) -> Response:
    """Leave the rest as it is."""
    service.stop(request_session(), actor=current_actor(), bulk_id=bulk_id, now=request_now())
    return toast(see_other("web.bulk_action", bulk_id=bulk_id), "Stopped. What was not come to stays as it was.")


@route(web, "/bulk/<uuid:bulk_id>/undo", permission=Permission.RUN, methods=["POST"])
def undo_bulk_action(bulk_id: UUID) -> Response:
    """Make everything what it was before."""
    undo_id = service.undo(request_session(), actor=current_actor(), bulk_id=bulk_id, now=request_now())
    return _told(_carry(undo_id))


def _select(object_ids: list[UUID]) -> UUID:
    return service.select_objects(
        request_session(), actor=current_actor(), family="schedules", object_ids=object_ids, now=request_now()
    )


def _ticked() -> list[UUID]:
    """The ids that came; what is none was not ticked by anybody."""
    found = []
    for text in request.form.getlist("id"):
        try:
            found.append(UUID(text))
        except ValueError as error:
            raise SelectionInvalid("The page sent something that is no schedule. Reload it and tick again.") from error
    return found


def _matching() -> list[UUID]:
    """All that the list would show on all of its pages, in its order. Refused where it would be more than was meant."""
    wanted = read_schedule_search(request.form)
    if wanted.problems:
        raise SelectionInvalid(f"{' '.join(wanted.problems)} Choose another filter, and select again.")
    here = current_actor().organization_id
    return matching_in_order(request_session(), organization_id=here, wanted=wanted.filter, now=request_now())


def _carry(bulk_id: UUID) -> BulkRow:
    session, organization_id = request_session(), current_actor().organization_id
    piece = carry_at_once(session, organization_id=organization_id, bulk_id=bulk_id, now=request_now())
    if piece.makes_runs:
        on_commit(session, runtime().dispatch)
    session.expire_all()
    return get_bulk_action(session, organization_id=organization_id, bulk_id=bulk_id)


def _told(row: BulkRow) -> Response:
    """What came of it: in a page with scripts as a message, else on the page of the bulk action."""
    here = url_for("web.bulk_action", bulk_id=row.id)
    if not is_htmx():
        return go_to(local_address(request.form.get("next")) or here) if row.is_undo else go_to(here)
    events = ["live:queue", "live:runs"] if row.family is RUNS else ["live:schedules"]
    response = announce(close_dialog(empty()), **dict.fromkeys([*events, "bulk:started"], True))
    words = f"{row.title}: {row.progress} so far." if row.is_going else row.summary
    actions: list[dict[str, Any]] = [{"label": "View", "url": here, "post": False}]
    if row.can_undo:
        undo_url = url_for("web.undo_bulk_action", bulk_id=row.id)
        actions.insert(0, {"label": "Undo all", "url": undo_url, "post": True})
    kind = ToastKind.INFO if row.refused else ToastKind.SUCCESS
    return toast(response, words, kind=kind, action=actions[0], more=actions[1] if len(actions) > 1 else None)
