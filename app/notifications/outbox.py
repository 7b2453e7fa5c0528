"""Messages that people put into the outbox themselves: a test, a notice by the API, one sent again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.sealing import Sealer
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.channel_changes import load_channel
from app.notifications.channel_rows import ChannelNotFound
from app.notifications.claiming import LEASE, Claim, take
from app.notifications.models import Channel, Delivery
from app.notifications.types import (
    ChannelState,
    DeliveryKind,
    DeliveryState,
    Facts,
    Link,
    LinkKind,
    NotificationType,
)
from app.tenants.access import Actor, Permission, require
from app.tenants.organizations import organization_names

_UNDER_WAY = {DeliveryState.PENDING.value, DeliveryState.SENDING.value, DeliveryState.FAILED.value}


class ChannelUnused(Conflict):
    """The channel is switched off, or broken."""


class StillUnderWay(Conflict):
    """The message will be tried again by itself."""


def put_test(session: Session, *, actor: Actor, sealer: Sealer, channel_id: UUID, now: datetime) -> Claim:
    """A test message that the caller sends at once, to a channel that may be off or broken. Raises ChannelNotFound."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    channel = load_channel(session, organization_id=actor.organization_id, channel_id=channel_id)
    facts = Facts(
        type=NotificationType.RUN_SUCCEEDED,
        kind=DeliveryKind.TEST,
        title=f"Test of the channel “{channel.name}”",
        what=f"{actor.label} asked for this message. If you can read it, the channel works.",
        organization=_organization(session, channel),
        links=(Link(LinkKind.CHANNELS),),
    )
    row = _row(channel, facts, key=f"test:{new_id()}", now=now)
    session.add(row)
    session.flush()
    return take(session, channel=channel, row=row, sealer=sealer, can_edit=False, now=now, lease=LEASE)


def put_notice(session: Session, *, actor: Actor, channel_id: UUID, facts: Facts, now: datetime) -> UUID:
    """Let a channel tell something. Returns the delivery's id. Raises ChannelNotFound or ChannelUnused."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    channel = load_channel(session, organization_id=actor.organization_id, channel_id=channel_id)
    _refuse_unused(channel)
    row = _row(channel, facts, key=f"notice:{new_id()}", now=now)
    session.add(row)
    _note(session, actor, channel, f"Told “{channel.name}”: {facts.title}"[:500], now)
    return row.id


def send_again(session: Session, *, actor: Actor, delivery_id: UUID, now: datetime) -> UUID:
    """Send once more what was sent, given up or suppressed. Returns the new delivery's id.

    Raises ChannelNotFound, ChannelUnused or StillUnderWay.
    """
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    mine = Delivery.organization_id == actor.organization_id, Delivery.id == delivery_id
    before = session.scalar(select(Delivery).where(*mine))
    if before is None:
        raise ChannelNotFound("There is no such delivery here.")
    if before.state in _UNDER_WAY:
        raise StillUnderWay("This message is still under way: it is tried again by itself.")
    channel = load_channel(session, organization_id=actor.organization_id, channel_id=before.channel_id)
    _refuse_unused(channel)
    facts = Facts.of_json(before.facts)
    row = _row(channel, facts, key=f"again:{new_id()}", now=now)
    row.incident_id, row.rule_id = before.incident_id, before.rule_id
    # To write over the first message again would show nobody anything.
    row.kind = DeliveryKind.REMINDER.value if before.kind == DeliveryKind.UPDATED.value else before.kind
    session.add(row)
    _note(session, actor, channel, f"Sent again to “{channel.name}”: {facts.title}"[:500], now)
    return row.id


def _row(channel: Channel, facts: Facts, *, key: str, now: datetime) -> Delivery:
    return Delivery(
        id=new_id(),
        organization_id=channel.organization_id,
        channel_id=channel.id,
        kind=facts.kind.value,
        type=facts.type.value,
        key=key,
        facts=facts.as_json(),
        state=DeliveryState.PENDING.value,
        tries=0,
        token=0,
        maybe_twice=False,
        reached=[],
        next_try_at=now,
        created_at=now,
    )


def _refuse_unused(channel: Channel) -> None:
    if channel.state == ChannelState.BROKEN.value:
        raise ChannelUnused(f"“{channel.name}” does not work. Mend it, and send a test to it first.")
    if channel.state != ChannelState.ON.value:
        raise ChannelUnused(f"“{channel.name}” is switched off. Switch it on first.")


def _organization(session: Session, channel: Channel) -> str:
    return organization_names(session, [channel.organization_id]).get(channel.organization_id, "")


def _note(session: Session, actor: Actor, channel: Channel, summary: str, now: datetime) -> None:
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action="channel.told", subject_id=channel.id,
        summary=summary, now=now,
    )  # fmt: skip
