"""What people say about the figures of a connection, and syncing it once more."""

from uuid import UUID

from flask import Response, request, url_for

from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.stream_facts import sync_again
from app.syncs.stream_changes import PromiseInvalid, promise_by, read_minute, say_normal
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.streams import streams_page
from app.web.permissions import route
from app.web.responses import see_other, toast
from app.web.started import this_press


@route(web, "/connections/<uuid:connection_id>/sync", permission=Permission.RUN, methods=["POST"])
def sync_connection(connection_id: UUID) -> Response:
    """Start the job that reads a connection. A double click is one run."""
    session = request_session()
    run_id = sync_again(
        session, actor=current_actor(), connection_id=connection_id, request_key=this_press().key, now=request_now()
    )
    on_commit(session, runtime().dispatch)
    action = {"label": "View run", "url": url_for("web.run", run_id=run_id), "post": False}
    return toast(see_other("web.streams", connection_id=connection_id), "A sync was started.", action=action)


@route(web, "/connections/<uuid:connection_id>/streams/<stream>/normal", permission=Permission.RUN, methods=["POST"])
def call_normal(connection_id: UUID, stream: str) -> Response:
    """Say that what looks odd is normal."""
    doubt = say_normal(
        request_session(), actor=current_actor(), connection_id=connection_id, stream=stream, now=request_now()
    )
    words = "Nothing was in doubt." if doubt is None else f"What came of {stream} counts as normal now."
    return toast(see_other("web.streams", connection_id=connection_id), words)


@route(
    web, "/connections/<uuid:connection_id>/streams/<stream>/promise", permission=Permission.EDIT_SCHEDULES,
    methods=["POST"],
)  # fmt: skip
def promise_stream(connection_id: UUID, stream: str) -> Response:
    """Promise the figures of each day by a time of the next one."""
    try:
        minute = read_minute(request.form.get("by", ""))
    except PromiseInvalid as error:
        return streams_page(connection_id, status=422, error=error.message, of=stream)
    promise_by(
        request_session(), actor=current_actor(), connection_id=connection_id, stream=stream, minute=minute,
        now=request_now(),
    )  # fmt: skip
    words = f"Nothing is promised of {stream} now." if minute is None else f"The promise of {stream} is saved."
    return toast(see_other("web.streams", connection_id=connection_id), words)
