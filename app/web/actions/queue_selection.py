"""What the bar below the queue does: keep the ticked runs, or all that the list matches, and ask about them."""

from uuid import UUID

from flask import Response, request

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.ops.bulk import service
from app.ops.bulk.kinds import MOST_OBJECTS
from app.ops.bulk.service import SelectionInvalid
from app.runs.queue_filter import QueueFilterUnclear, read_whole
from app.runs.queue_lists import matching_of_tab
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.bulk import fresh_form, question_page
from app.web.permissions import route
from app.web.responses import ToastKind, empty, is_htmx, see_other, toast


@route(web, "/queue/selection", permission=Permission.MANAGE_QUEUE, methods=["POST"])
def select_queue_runs() -> Response:
    """Keep the ticked runs, or all that the list matches at this moment, and ask about what was pressed.

    With `all` and an action, as below a cause, it is asked at once.
    """
    is_all, action = request.form.get("all") == "yes", request.form.get("action", "")
    try:
        object_ids, left = _matching() if is_all else (_ticked(), 0)
        bulk_id = service.select_objects(
            request_session(), actor=current_actor(), family="runs", object_ids=object_ids, left=left, now=request_now()
        )
    except (SelectionInvalid, QueueFilterUnclear) as error:
        if not is_htmx():
            raise
        return toast(empty(), error.message, kind=ToastKind.ERROR)
    if not action:
        return see_other("web.bulk_action", bulk_id=bulk_id)
    kind = service.find_kind(action)
    if is_htmx():
        return question_page(bulk_id, kind, fresh_form())
    return see_other("web.confirm_bulk_action", bulk_id=bulk_id, action=kind.name)


def _ticked() -> list[UUID]:
    """The ids that came; what is none was not ticked by anybody."""
    try:
        return [UUID(text) for text in request.form.getlist("id")]
    except ValueError as error:
        raise SelectionInvalid("The page sent something that is no run. Reload it and tick again.") from error


def _matching() -> tuple[list[UUID], int]:
    """All that the list would show, as many as are done at once, and how many others. Refused where that is unclear."""
    return matching_of_tab(
        request_session(),
        organization_id=current_actor().organization_id,
        wanted=read_whole(request.form),
        now=request_now(),
        most=MOST_OBJECTS,
    )
