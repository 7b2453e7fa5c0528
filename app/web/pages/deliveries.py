"""The delivery log: every message of the last days, to which channel, and what became of it."""

from dataclasses import dataclass
from uuid import UUID

from flask import Response, current_app, request, url_for

from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.notifications.channel_rows import DeliveryRow, list_channels, list_deliveries
from app.notifications.types import DeliveryKind, DeliveryState
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.page_size import rows_per_page
from app.web.pages.notification_tabs import notification_tabs
from app.web.pages.places import read_place, write_place
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import page_or_fragment

BADGES = {
    DeliveryState.PENDING: ("waiting", "Waiting"),
    DeliveryState.SENDING: ("running", "Being sent"),
    DeliveryState.SENT: ("succeeded", "Sent"),
    DeliveryState.FAILED: ("waiting_retry", "Tried again"),
    DeliveryState.GIVEN_UP: ("failed", "Given up"),
    DeliveryState.SUPPRESSED: ("skipped", "Not sent"),
}
KIND_WORDS = {
    DeliveryKind.OPENED: "First message",
    DeliveryKind.UPDATED: "Brought up to date",
    DeliveryKind.REMINDER: "Reminder",
    DeliveryKind.RECOVERED: "It works again",
    DeliveryKind.EVENT: "News",
    DeliveryKind.DIGEST: "Several at once",
    DeliveryKind.SUMMARY: "Daily summary",
    DeliveryKind.TEST: "Test",
}
_OVER = {DeliveryState.SENT, DeliveryState.GIVEN_UP, DeliveryState.SUPPRESSED}


@dataclass(frozen=True)
class DeliveryLine:
    """One message to one channel."""

    row: DeliveryRow
    kind: str
    channel: str
    channel_href: str
    badge: str
    state: str
    result: str
    incident_href: str
    can_resend: bool


@route(web, "/notifications/deliveries", permission=Permission.VIEW)
def deliveries() -> Response:
    """The newest messages first, of all channels or of one."""
    session, here = request_session(), current_actor().organization_id
    channels = {row.id: row.name for row in list_channels(session, organization_id=here)}
    wanted, before = _channel(), read_place(request.args.get("before", ""))
    size = rows_per_page()
    found = list_deliveries(session, organization_id=here, limit=size + 1, channel_id=wanted, before=before)
    shown = found[:size]
    place = write_place((shown[-1].created_at, shown[-1].id)) if len(found) > len(shown) else ""
    return page_or_fragment(
        "notifications/deliveries.html",
        "notifications/_deliveries.html",
        tabs=notification_tabs("web.deliveries"),
        lines=[_line(row, channels) for row in shown],
        channels=[("", "All channels"), *((str(id_), name) for id_, name in channels.items())],
        wanted=str(wanted or ""),
        is_first=before is None,
        newest_href=url_for("web.deliveries", channel=wanted) if before else "",
        older_href=url_for("web.deliveries", channel=wanted, before=place) if place else "",
        refused=refusals(),
    )


def _line(row: DeliveryRow, channels: dict[UUID, str]) -> DeliveryLine:
    badge, state = BADGES[row.state]
    is_there = row.channel_id in channels
    has_page = row.incident_id is not None and "web.incident" in current_app.view_functions
    return DeliveryLine(
        row=row,
        kind=KIND_WORDS[row.kind],
        channel=channels.get(row.channel_id, "A deleted channel"),
        channel_href=url_for("web.channel", channel_id=row.channel_id) if is_there else "",
        badge=badge,
        state=state,
        result=(row.words if row.state is DeliveryState.SENT else row.last_error) or "",
        incident_href=url_for("web.incident", incident_id=row.incident_id) if has_page else "",
        can_resend=row.state in _OVER and is_there,
    )


def _channel() -> UUID | None:
    try:
        return UUID(request.args.get("channel", ""))
    except ValueError:
        return None
