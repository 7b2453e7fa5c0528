"""Sending a message once more."""

from uuid import UUID

from flask import Response

from app.core.errors import Conflict
from app.edge.database import roll_back
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.notifications.outbox import send_again
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import ToastKind, see_other, toast


@route(
    web, "/notifications/deliveries/<uuid:delivery_id>/again", permission=Permission.MANAGE_NOTIFICATIONS,
    methods=["POST"],
)  # fmt: skip
def resend(delivery_id: UUID) -> Response:
    """Put the same message into the outbox once more."""
    try:
        send_again(request_session(), actor=current_actor(), delivery_id=delivery_id, now=request_now())
    except Conflict as error:
        roll_back(runtime().requests)
        return toast(see_other("web.deliveries"), error.message, kind=ToastKind.ERROR)
    return toast(see_other("web.deliveries"), "It is sent again within seconds.")
