"""Who is told about what, and where: the channels and rules of an organization."""

from uuid import UUID

from flask import Response, request

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.notifications.channel_changes import UNDO
from app.notifications.channel_rows import (
    ChannelNotFound,
    DeliveryRow,
    get_delivery,
    list_channels,
    list_deleted,
    stand_in_of,
)
from app.notifications.reach import read_reach
from app.notifications.rule_rows import list_rules
from app.notifications.types import DeliveryKind
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.channel_view import channel_line, kind_cards
from app.web.pages.notification_tabs import notification_tabs
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import page


@route(web, "/notifications", permission=Permission.VIEW)
def notifications() -> Response:
    """All channels, those that fail first, and all rules."""
    couriers = runtime().channels.couriers
    session, here, now = request_session(), current_actor().organization_id, request_now()
    rows = list_channels(session, organization_id=here)
    rules = list_rules(session, organization_id=here, deleted_since=now - UNDO)
    tested = _tested()
    in_use = [rule for rule in rules if rule.deleted_at is None]
    return page(
        "notifications/index.html",
        tabs=notification_tabs("web.notifications"),
        lines=[channel_line(row, couriers[row.kind], tested=tested) for row in rows],
        stand_in=stand_in_of(rows),
        reach=read_reach(session, organization_id=here).value,
        deleted=list_deleted(session, organization_id=here, since=now - UNDO),
        cards=kind_cards(couriers),
        rules=in_use,
        heard={channel_id for rule in in_use if rule.terms.is_enabled for channel_id in rule.terms.channel_ids},
        deleted_rules=[rule for rule in rules if rule.deleted_at is not None],
        now=now,
        refused=refusals(),
    )


def _tested() -> DeliveryRow | None:
    """The test that was just sent, which the address names."""
    try:
        delivery_id = UUID(request.args.get("tested", ""))
        found = get_delivery(
            request_session(), organization_id=current_actor().organization_id, delivery_id=delivery_id
        )
    except (ValueError, ChannelNotFound):
        return None
    return found if found.kind is DeliveryKind.TEST else None
