"""Which messages are to be sent now, and the right to send one: a lease, and a token that counts who took it."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.core.db import count_changed
from app.core.sealing import Sealer
from app.notifications.channel_changes import open_place, suppress_waiting
from app.notifications.couriers.errands import Couriers, Place
from app.notifications.models import Channel, Delivery, NotifySettings
from app.notifications.standing_in import move_to_stand_in
from app.notifications.types import ChannelKind, ChannelState, DeliveryKind, DeliveryState

# Longer than any try takes, with the time to say what came of it.
LEASE = timedelta(seconds=60)
GIVE_UP_AFTER = timedelta(hours=24)
MOST_CHANNELS_IN_A_ROUND = 100
_WAITING = (DeliveryState.PENDING.value, DeliveryState.FAILED.value)
NEVER_KNOWN = "Nobody knows whether it arrived, twice over, so it is not sent a third time."
TOO_OLD = "It could not be delivered within 24 hours."


@dataclass(frozen=True)
class Due:
    """A channel that has something to send now."""

    organization_id: UUID
    channel_id: UUID


@dataclass(frozen=True)
class Claim:
    """The right to send one message once. `token` has to be the row's when the outcome is written."""

    delivery_id: UUID
    organization_id: UUID
    channel_id: UUID
    channel_name: str
    kind: ChannelKind
    place: Place
    facts: Mapping[str, Any]
    texts: Mapping[str, Any]
    delivery_kind: DeliveryKind
    key: str
    token: int
    tries: int
    made_at: datetime
    edits: str | None
    reached: tuple[str, ...]
    maybe_twice: bool


def find_due(session: Session, *, now: datetime) -> list[Due]:
    """Channels of all organizations with something to send: of each organization the one that has waited longest first.

    One that asked to be left alone, or to which somebody sends at this moment, is not among them.
    """
    taken = aliased(Delivery)
    is_busy = exists().where(
        taken.channel_id == Channel.id, taken.state == DeliveryState.SENDING.value, taken.lease_until >= now
    )
    is_quiet = and_(Channel.quiet_until.is_not(None), Channel.quiet_until > now)
    found: dict[Due, datetime] = {}
    for is_due, moment in (
        (and_(Delivery.state.in_(_WAITING), Delivery.next_try_at <= now), Delivery.next_try_at),
        (and_(Delivery.state == DeliveryState.SENDING.value, Delivery.lease_until < now), Delivery.lease_until),
    ):
        # A row for each channel, however much one has to say: its messages must not hide those of others.
        oldest = func.min(moment).label("oldest")
        query = (
            select(Delivery.organization_id, Delivery.channel_id, oldest)
            .join(Channel, (Channel.id == Delivery.channel_id) & (Channel.organization_id == Delivery.organization_id))
            .where(is_due, ~is_busy, ~is_quiet)
            .group_by(Delivery.organization_id, Delivery.channel_id)
            .order_by(oldest)
            .limit(20 * MOST_CHANNELS_IN_A_ROUND)
        )
        for row in session.execute(query):
            due, at = Due(row[0], row[1]), row[2] or now
            found[due] = min(found.get(due, at), at)
    return _in_turns(found)[:MOST_CHANNELS_IN_A_ROUND]


def _in_turns(found: Mapping[Due, datetime]) -> list[Due]:
    """By how long they have waited, but a channel of each organization before a second one of any."""
    turns: Counter[UUID] = Counter()
    ranked: list[tuple[int, Due]] = []
    for due in sorted(found, key=lambda due: found[due]):
        ranked.append((turns[due.organization_id], due))
        turns[due.organization_id] += 1
    return [due for _, due in sorted(ranked, key=lambda one: one[0])]


def claim_next(
    session: Session, *, due: Due, couriers: Couriers, sealer: Sealer, now: datetime, lease: timedelta = LEASE
) -> Claim | None:
    """Take the next message of a channel, if nobody else sends to it. The session works as its organization.

    None when there is nothing to send any more: it was taken by somebody else, overtaken, or its channel is off. Raises
    SecretNotFound, SealBroken or KeyUnknown, and then nothing is taken.
    """
    mine = Channel.organization_id == due.organization_id, Channel.id == due.channel_id
    query = select(Channel).where(*mine).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    channel = session.scalar(query)
    if channel is None or (channel.quiet_until is not None and channel.quiet_until > now):
        return None
    if channel.deleted_at is not None or channel.state == ChannelState.OFF.value:
        suppress_waiting(session, channel, words="Its channel is switched off or deleted.")
        _let_go(session, channel, now)
        return None
    if channel.state == ChannelState.BROKEN.value:
        _let_go(session, channel, now)
        move_to_stand_in(session, channel, now=now)
        return None
    while (row := _next_row(session, channel, now)) is not None:
        if _is_to_be_sent(session, channel, row, couriers, now):
            can_edit = couriers[ChannelKind(channel.kind)].can_edit
            return take(session, channel=channel, row=row, sealer=sealer, can_edit=can_edit, now=now, lease=lease)
    return None


def backoff(tries: int) -> timedelta:
    """How long to wait after so many tries: 5 s, doubled each time, up to half an hour, and spread."""
    seconds = min(5.0 * 2 ** min(tries - 1, 12), 1_800.0)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 - no secret


def _next_row(session: Session, channel: Channel, now: datetime) -> Delivery | None:
    here = Delivery.organization_id == channel.organization_id, Delivery.channel_id == channel.id
    is_sending = Delivery.state == DeliveryState.SENDING.value
    if session.scalar(select(exists().where(*here, is_sending, Delivery.lease_until >= now))):
        return None
    is_due = or_(
        and_(Delivery.state.in_(_WAITING), Delivery.next_try_at <= now), and_(is_sending, Delivery.lease_until < now)
    )
    query = select(Delivery).where(*here, is_due).order_by(Delivery.next_try_at, Delivery.created_at, Delivery.id)
    return session.scalar(query.limit(1).execution_options(populate_existing=True))


def _is_to_be_sent(session: Session, channel: Channel, row: Delivery, couriers: Couriers, now: datetime) -> bool:
    """Settle what is not sent any more, and say whether this one is."""
    courier = couriers[ChannelKind(channel.kind)]
    if row.state == DeliveryState.SENDING.value:
        is_written_over = _is_edit(row) and _told_as(session, row) is not None
        note_doubt(row, is_harmless=courier.is_idempotent or is_written_over)
    if row.state == DeliveryState.GIVEN_UP.value:
        pass
    elif row.kind == DeliveryKind.TEST.value:
        # Nobody waits for it any more.
        row.state = DeliveryState.GIVEN_UP.value
    elif now - row.created_at > GIVE_UP_AFTER:
        row.state = DeliveryState.GIVEN_UP.value
        row.last_error = f"{TOO_OLD} {row.last_error or ''}".strip()
    elif row.kind == DeliveryKind.UPDATED.value and not courier.can_edit:
        _suppress(row, "This kind of channel cannot write over what it was told.")
    elif row.incident_id is not None and _is_overtaken(session, row):
        _suppress(row, "A later message of the incident tells it as well.")
    else:
        return True
    session.flush()
    return False


def note_doubt(row: Delivery, *, is_harmless: bool) -> None:
    """Whoever sent it died, or heard no answer. It is sent once more at most, and says so of itself."""
    if not is_harmless and row.maybe_twice:
        row.state, row.last_error, row.lease_until = DeliveryState.GIVEN_UP.value, NEVER_KNOWN, None
        return
    row.state, row.lease_until = DeliveryState.FAILED.value, None
    row.maybe_twice = row.maybe_twice or not is_harmless


def take(
    session: Session,
    *,
    channel: Channel,
    row: Delivery,
    sealer: Sealer,
    can_edit: bool,
    now: datetime,
    lease: timedelta,
) -> Claim:
    """Take a message that nobody else holds. Raises SecretNotFound, SealBroken or KeyUnknown."""
    place = open_place(session, sealer=sealer, channel=channel)
    row.state, row.lease_until = DeliveryState.SENDING.value, now + lease
    row.token, row.tries = row.token + 1, row.tries + 1
    session.flush()
    mine = NotifySettings.organization_id == channel.organization_id
    return Claim(
        delivery_id=row.id,
        organization_id=row.organization_id,
        channel_id=channel.id,
        channel_name=channel.name,
        kind=ChannelKind(channel.kind),
        place=place,
        facts=row.facts,
        texts=session.scalar(select(NotifySettings.texts).where(mine)) or {},
        delivery_kind=DeliveryKind(row.kind),
        key=str(row.id),
        token=row.token,
        tries=row.tries,
        made_at=row.created_at,
        edits=_told_as(session, row) if can_edit and _is_edit(row) else None,
        reached=tuple(row.reached or ()),
        maybe_twice=row.maybe_twice,
    )


def _is_edit(row: Delivery) -> bool:
    return row.kind == DeliveryKind.UPDATED.value


def _is_overtaken(session: Session, row: Delivery) -> bool:
    later = [
        Delivery.organization_id == row.organization_id,
        Delivery.incident_id == row.incident_id,
        Delivery.channel_id == row.channel_id,
        Delivery.state.in_(_WAITING),
        or_(Delivery.created_at > row.created_at, and_(Delivery.created_at == row.created_at, Delivery.id > row.id)),
    ]
    # A message may reach people only by being sent anew: what merely writes over it overtakes no other kind.
    if not _is_edit(row):
        later.append(Delivery.kind != DeliveryKind.UPDATED.value)
    return bool(session.scalar(select(exists().where(*later))))


def _told_as(session: Session, row: Delivery) -> str | None:
    """What the channel calls the newest message of the incident that it has."""
    query = select(Delivery.provider_ref).where(
        Delivery.organization_id == row.organization_id,
        Delivery.incident_id == row.incident_id,
        Delivery.channel_id == row.channel_id,
        Delivery.state == DeliveryState.SENT.value,
        Delivery.provider_ref.is_not(None),
    )
    return session.scalar(query.order_by(Delivery.sent_at.desc(), Delivery.id.desc()).limit(1))


def _let_go(session: Session, channel: Channel, now: datetime) -> None:
    """What somebody was sending when the channel ended, and said nothing of since."""
    here = Delivery.organization_id == channel.organization_id, Delivery.channel_id == channel.id
    is_over = Delivery.state == DeliveryState.SENDING.value, Delivery.lease_until < now
    values = {"state": DeliveryState.GIVEN_UP.value, "maybe_twice": True, "lease_until": None}
    count_changed(session, update(Delivery).where(*here, *is_over).values(last_error=NEVER_KNOWN, **values))


def _suppress(row: Delivery, words: str) -> None:
    row.state, row.last_error, row.lease_until = DeliveryState.SUPPRESSED.value, words, None
