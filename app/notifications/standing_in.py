"""Channels that fail for good: switched off, said so in another one, and what waited for them told there."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.ids import new_id
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.last_resort import make_last_resort
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
from app.tenants.access import Actor
from app.tenants.organizations import organization_names
from app.tenants.roles import Role

BELFRY = "Belfry"
# More of one channel are not moved over: whoever reads them elsewhere is told enough.
MOST_MOVED = 20
# What waits for a broken channel is looked at again so often, where nothing stands in for it.
WAIT = timedelta(minutes=10)
_WAITING = (DeliveryState.PENDING.value, DeliveryState.FAILED.value)
# These say nothing where the message that they follow was never told.
_NOT_MOVED = (DeliveryKind.UPDATED.value, DeliveryKind.TEST.value)
_NOT_MOVED_WORDS = (
    f"Not told: its channel is broken, and another one takes over the newest {MOST_MOVED} that it had not told."
)


def break_channel(
    session: Session, *, organization_id: UUID, channel_id: UUID, reason: str, now: datetime, can_mail: bool = False
) -> bool:
    """Switch a channel off that fails for good, and tell its organization by another. False if it was not on.

    One audit row, one event and one message, for the first who says so. `reason` holds no secret. Where there is no
    other and the installation `can_mail`, its admins are told so.
    """
    values = {"state": ChannelState.BROKEN.value, "broken_at": now, "last_error": reason, "last_error_at": now}
    mine = Channel.organization_id == organization_id, Channel.id == channel_id
    query = update(Channel).where(*mine, Channel.state == ChannelState.ON.value).values(updated_at=now, **values)
    if count_changed(session, query.execution_options(synchronize_session=False)) != 1:
        return False
    channel = session.scalar(select(Channel).where(*mine).execution_options(populate_existing=True))
    assert channel is not None
    summary = f"The channel “{channel.name}” was switched off: {reason}"
    actor = Actor(organization_id, Role.OWNER, BELFRY)
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action="channel.broken", subject_id=channel_id,
        summary=summary[:500], now=now,
    )  # fmt: skip
    stand_in = find_stand_in(session, channel)
    if stand_in is None and can_mail:
        stand_in = make_last_resort(session, channel, actor=actor, now=now)
    if stand_in is not None:
        facts = _notice(session, channel, stand_in)
        values = {"kind": facts.kind.value, "type": facts.type.value, "facts": facts.as_json(), "created_at": now}
        _add(session, stand_in, key=f"broken:{channel_id}:{now.isoformat()}", now=now, **values)
    move_to_stand_in(session, channel, now=now)
    return True


def find_stand_in(session: Session, channel: Channel) -> Channel | None:
    """What tells instead of a broken channel: the fallback, else the one that worked last."""
    query = (
        select(Channel)
        .where(
            Channel.organization_id == channel.organization_id,
            Channel.id != channel.id,
            Channel.deleted_at.is_(None),
            Channel.state == ChannelState.ON.value,
        )
        .order_by(Channel.is_fallback.desc(), Channel.last_ok_at.desc().nulls_last(), Channel.created_at, Channel.id)
    )
    return session.scalar(query.limit(1))


def move_to_stand_in(session: Session, channel: Channel, *, now: datetime) -> int:
    """Let another channel tell what waits for a broken one; without another it goes on waiting. Returns how many."""
    here = Delivery.organization_id == channel.organization_id, Delivery.channel_id == channel.id
    waiting = update(Delivery).where(*here, Delivery.state.in_(_WAITING)).execution_options(synchronize_session=False)
    stand_in = find_stand_in(session, channel)
    if stand_in is None:
        session.execute(waiting.where(Delivery.next_try_at <= now + WAIT).values(next_try_at=now + WAIT))
        return 0
    query = select(Delivery).where(*here, Delivery.state.in_(_WAITING), Delivery.kind.not_in(_NOT_MOVED))
    found = session.scalars(query.order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(MOST_MOVED)).all()
    for row in reversed(found):
        # As it is stored: what cannot be read holds nothing else up. By its key, for what the other tells anyhow.
        values = {"facts": row.facts, "incident_id": row.incident_id, "rule_id": row.rule_id}
        _add(session, stand_in, key=row.key, kind=row.kind, type=row.type, created_at=row.created_at, now=now, **values)
    oldest = min(((row.created_at, row.id) for row in found), default=None)
    if oldest is not None and len(found) == MOST_MOVED:
        is_older = or_(Delivery.created_at < oldest[0], and_(Delivery.created_at == oldest[0], Delivery.id < oldest[1]))
        words = f"Its channel is broken, and “{stand_in.name}” told only the {MOST_MOVED} newest messages instead."
        session.execute(waiting.where(is_older).values(state=DeliveryState.SUPPRESSED.value, last_error=words))
    words = f"Told by “{stand_in.name}” instead: its channel is broken."
    moved = waiting.where(Delivery.id.in_([row.id for row in found]))
    session.execute(moved.values(state=DeliveryState.SUPPRESSED.value, last_error=words))
    session.execute(waiting.values(state=DeliveryState.SUPPRESSED.value, last_error=_NOT_MOVED_WORDS))
    session.expire_all()
    return len(found)


def _add(session: Session, channel: Channel, *, key: str, now: datetime, **values: Any) -> None:
    row = Delivery(
        id=new_id(),
        organization_id=channel.organization_id,
        channel_id=channel.id,
        key=key,
        state=DeliveryState.PENDING.value,
        next_try_at=now,
        **values,
    )
    try:
        # Two processes may find the same channel broken; the unique key decides.
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return


def _notice(session: Session, channel: Channel, stand_in: Channel) -> Facts:
    return Facts(
        type=NotificationType.CHANNEL_BROKEN,
        kind=DeliveryKind.EVENT,
        title=f"The channel “{channel.name}” does not work any more",
        what=f"It was switched off. What it had still to tell is told here, by “{stand_in.name}”.",
        since=channel.last_ok_at,
        error=channel.last_error,
        to_do="Change the channel, or make it anew; then test it.",
        organization=organization_names(session, [channel.organization_id]).get(channel.organization_id, ""),
        links=(Link(LinkKind.CHANNELS),),
    )
