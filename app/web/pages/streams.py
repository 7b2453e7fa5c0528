"""How the figures of a connection stand, stream by stream. What its forms do is in actions/streams.py."""

from uuid import UUID

from flask import Response

from app.core.ids import new_id
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.ops.stream_facts import read_stream_facts
from app.syncs.connection_rows import get_connection
from app.syncs.freshness import Freshness
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.data_words import days_words
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import invalid

# Which colour and mark each has.
_BADGES = {Freshness.FRESH: "ok", Freshness.AT_RISK: "warning", Freshness.STALE: "failed"}


@route(web, "/connections/<uuid:connection_id>/streams", permission=Permission.VIEW)
def streams(connection_id: UUID) -> Response:
    """What has come in through a connection, what is odd about it, and by when it is promised."""
    return streams_page(connection_id)


def streams_page(connection_id: UUID, *, status: int = 200, error: str = "", of: str = "") -> Response:
    """The page; after a refusal with what is wrong in the form of a stream."""
    session, tenant = request_session(), current_actor().organization_id
    row = get_connection(session, organization_id=tenant, connection_id=connection_id)
    facts = [] if row.is_ended else read_stream_facts(
        session, organization_id=tenant, connection_id=connection_id, now=request_now()
    )  # fmt: skip
    return invalid(
        "connections/streams.html", status=status, row=row, streams=facts, badges=_BADGES, refused=refusals(),
        request_key=new_id().hex, error=error, of=of, days_words=days_words,
    )  # fmt: skip
