"""`/deliveries`: every message of the last days, and what became of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.api.models import Answer, Moment, Paging
from app.api.paging import read_cursor, write_cursor
from app.api.resource import Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import fresh_session, request_session
from app.notifications.channel_rows import DeliveryRow, get_delivery, list_deliveries
from app.notifications.outbox import send_again
from app.notifications.types import DeliveryKind, DeliveryState
from app.tenants.access import Permission


class DeliveryQuery(Paging):
    """What the log is narrowed to."""

    channel: Annotated[UUID | None, Field(description="The id of a channel.")] = None


class DeliveryOut(Answer):
    """One message to one channel."""

    id: UUID
    channel_id: UUID
    incident_id: UUID | None
    rule_id: UUID | None
    kind: DeliveryKind
    type: Annotated[str, Field(description="What it tells of, such as `run_failed`.")]
    title: str
    state: DeliveryState
    tries: int
    next_try_at: Moment
    sent_at: Moment | None
    maybe_twice: Annotated[bool, Field(description="It may have arrived twice: nobody knows of one try.")]
    words: Annotated[str | None, Field(description="What the channel answered when it arrived.")]
    last_error: str | None
    created_at: Moment


@resource("GET", "/deliveries", permission=Permission.VIEW, query=DeliveryQuery, answer=DeliveryOut, is_list=True)
def list_api_deliveries(query: DeliveryQuery) -> Page[DeliveryOut]:
    """The newest messages first. They are kept for 30 days."""
    after = read_cursor(query)
    found = list_deliveries(
        request_session(),
        organization_id=current_actor().organization_id,
        limit=query.limit + 1,
        channel_id=query.channel,
        before=(datetime.fromisoformat(after[0]), UUID(after[1])) if after else None,
    )
    rows = found[: query.limit]
    goes_on = write_cursor(rows[-1].created_at.isoformat(), str(rows[-1].id)) if len(found) > len(rows) else None
    return Page([_out(row) for row in rows], goes_on)


@resource("GET", "/deliveries/<uuid:delivery_id>", permission=Permission.VIEW, answer=DeliveryOut)
def show_delivery(delivery_id: UUID) -> DeliveryOut:
    """One message."""
    return _one(delivery_id)


@resource(
    "POST",
    "/deliveries/<uuid:delivery_id>/resend",
    permission=Permission.MANAGE_NOTIFICATIONS,
    answer=DeliveryOut,
    status=202,
    may_conflict=True,
)
def resend_delivery(delivery_id: UUID) -> DeliveryOut:
    """Send once more what was sent, given up or not sent. The answer is the new message, which is sent in seconds."""
    new = send_again(request_session(), actor=current_actor(), delivery_id=delivery_id, now=request_now())
    return _one(new)


def _one(delivery_id: UUID) -> DeliveryOut:
    here = current_actor().organization_id
    return _out(get_delivery(fresh_session(), organization_id=here, delivery_id=delivery_id))


def _out(row: DeliveryRow) -> DeliveryOut:
    return DeliveryOut(**{name: getattr(row, name) for name in DeliveryOut.model_fields})
