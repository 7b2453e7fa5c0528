"""Commands on channels: make, change, rename, switch, delete and bring back. Reads are in channel_rows.

What somebody typed in is checked before, outside of the transaction: channel_desk.py makes the Place.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.names import clean_name
from app.core.sealing import KeyUnknown, SealBroken, Sealer
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.channel_rows import ChannelNotFound
from app.notifications.couriers.errands import Place
from app.notifications.models import Channel, Delivery
from app.notifications.types import ChannelKind, ChannelState, DeliveryState
from app.tenants.access import Actor, Permission, require
from app.vault import service as vault
from app.vault.service import SecretNotFound, SecretOwner

LONGEST_NAME = 80
MOST_CHANNELS = 50
# What is deleted can be brought back so long; its secret goes with it after that.
UNDO = timedelta(days=7)
# What the secret is called in the vault; it is sealed for this name too.
SECRET = "place"  # noqa: S105 - the name of a field
_IN_USE = Channel.deleted_at.is_(None)
_WAITING = (DeliveryState.PENDING.value, DeliveryState.FAILED.value)


class ChannelNameTaken(Conflict):
    """Another channel of the organization is called so."""


class TooManyChannels(Conflict):
    """The organization has as many as any may have."""


@dataclass(frozen=True)
class ChannelDraft:
    """A channel as somebody described it, checked. `place` is where it leads."""

    name: str
    kind: ChannelKind
    place: Place
    is_fallback: bool = False


def make_channel(session: Session, *, actor: Actor, sealer: Sealer, draft: ChannelDraft, now: datetime) -> UUID:
    """A new channel, switched on. Raises NameInvalid, ChannelNameTaken or TooManyChannels."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    name = clean_name(draft.name, noun="channel", longest=LONGEST_NAME)
    _refuse_too_many(session, actor)
    channel = Channel(
        id=new_id(),
        organization_id=actor.organization_id,
        name=name,
        kind=draft.kind.value,
        settings=dict(draft.place.settings),
        state=ChannelState.ON.value,
        is_fallback=False,
        created_at=now,
        updated_at=now,
    )
    try:
        # The unique index decides; a look before the insert could be overtaken.
        with session.begin_nested():
            session.add(channel)
    except IntegrityError as error:
        raise _name_taken(name) from error
    seal_place(session, sealer, channel, draft.place, now)
    if draft.is_fallback:
        _make_fallback(session, channel, now)
    _note(session, actor, channel.id, "created", f"Made the channel “{name}” ({draft.kind.value})", now)
    return channel.id


def change_channel(
    session: Session, *, actor: Actor, sealer: Sealer, channel_id: UUID, draft: ChannelDraft, now: datetime
) -> None:
    """Let it lead elsewhere, or be called otherwise. One that was broken is believed in again.

    Raises NameInvalid, ChannelNameTaken or ChannelNotFound.
    """
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    channel = load_channel(session, organization_id=actor.organization_id, channel_id=channel_id)
    name = clean_name(draft.name, noun="channel", longest=LONGEST_NAME)
    changes = _differences(channel, name, draft)
    was_broken = channel.state == ChannelState.BROKEN.value
    try:
        with session.begin_nested():
            channel.name, channel.settings, channel.updated_at = name, dict(draft.place.settings), now
            session.flush()
    except IntegrityError as error:
        raise _name_taken(name) from error
    is_new_secret = seal_place(session, sealer, channel, draft.place, now)
    if draft.is_fallback:
        _make_fallback(session, channel, now)
    else:
        channel.is_fallback = False
    if was_broken:
        _mend(session, actor, channel, now)
    summary = f"Changed the channel “{name}”" + (", with another secret" if is_new_secret else "")
    _note(session, actor, channel.id, "changed", summary, now, changes)


def switch_channel(session: Session, *, actor: Actor, channel_id: UUID, is_on: bool, now: datetime) -> None:
    """Use it or not. What waits for one that is switched off is not sent any more. Raises ChannelNotFound."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    channel = load_channel(session, organization_id=actor.organization_id, channel_id=channel_id)
    wanted = ChannelState.ON if is_on else ChannelState.OFF
    if channel.state == wanted.value:
        return
    if is_on:
        _mend(session, actor, channel, now)
        _note(session, actor, channel.id, "enabled", f"Switched the channel “{channel.name}” on", now)
        return
    channel.state, channel.updated_at = wanted.value, now
    session.flush()
    suppress_waiting(session, channel, words="Its channel was switched off.")
    _note(session, actor, channel.id, "disabled", f"Switched the channel “{channel.name}” off", now)


def choose_fallback(session: Session, *, actor: Actor, channel_id: UUID, now: datetime) -> None:
    """Tell by this one where another is broken; there is one at most. Raises ChannelNotFound."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    channel = load_channel(session, organization_id=actor.organization_id, channel_id=channel_id)
    _make_fallback(session, channel, now)
    _note(session, actor, channel.id, "changed", f"Made “{channel.name}” the fallback channel", now)


def delete_channel(session: Session, *, actor: Actor, channel_id: UUID, now: datetime) -> str:
    """Take it away, for now: it can be brought back for a week. Returns its name. Raises ChannelNotFound."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    channel = load_channel(session, organization_id=actor.organization_id, channel_id=channel_id)
    channel.deleted_at, channel.updated_at = now, now
    session.flush()
    suppress_waiting(session, channel, words="Its channel was deleted.")
    _note(session, actor, channel.id, "deleted", f"Deleted the channel “{channel.name}”", now)
    return channel.name


def restore_channel(session: Session, *, actor: Actor, channel_id: UUID, now: datetime) -> str:
    """Bring back what was deleted. Raises ChannelNotFound, ChannelNameTaken or TooManyChannels."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    mine = Channel.organization_id == actor.organization_id, Channel.id == channel_id
    channel = session.scalar(select(Channel).where(*mine, Channel.deleted_at > now - UNDO))
    if channel is None:
        raise ChannelNotFound("This channel is gone. Make it anew.")
    _refuse_too_many(session, actor)
    try:
        with session.begin_nested():
            channel.deleted_at, channel.updated_at = None, now
            session.flush()
    except IntegrityError as error:
        raise _name_taken(channel.name) from error
    _note(session, actor, channel.id, "restored", f"Brought the channel “{channel.name}” back", now)
    return channel.name


def forget_channels(session: Session, *, organization_id: UUID, now: datetime) -> int:
    """Erase the secrets of channels that were deleted so long ago that nobody can bring them back."""
    gone = Channel.deleted_at <= now - UNDO, Channel.secret_id.is_not(None)
    found = session.scalars(select(Channel).where(Channel.organization_id == organization_id, *gone)).all()
    for channel in found:
        vault.erase(session, owner=SecretOwner.channel(organization_id, channel.id))
        channel.secret_id = channel.secret_hint = channel.secret_set_at = None
    return len(found)


def load_channel(session: Session, *, organization_id: UUID, channel_id: UUID) -> Channel:
    """Its row as it is stored now, kept from others until the end of the transaction. Raises ChannelNotFound."""
    query = (
        select(Channel)
        .where(Channel.organization_id == organization_id, Channel.id == channel_id, _IN_USE)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    channel = session.scalar(query)
    if channel is None:
        raise ChannelNotFound("There is no such channel here.")
    return channel


def open_place(session: Session, *, sealer: Sealer, channel: Channel) -> Place:
    """Where a channel leads, to send there. Raises SecretNotFound, SealBroken or KeyUnknown."""
    if channel.secret_id is None:
        return Place(channel.settings, "")
    owner = SecretOwner.channel(channel.organization_id, channel.id)
    secret = vault.open_secret(session, sealer=sealer, owner=owner, secret_id=channel.secret_id, field=SECRET)
    return Place(channel.settings, secret, channel.secret_hint or "")


def seal_place(session: Session, sealer: Sealer, channel: Channel, place: Place, now: datetime) -> bool:
    """Put what is secret away. Returns whether it is another one than before."""
    if not place.secret or _held(session, sealer, channel) == place.secret:
        return False
    owner = SecretOwner.channel(channel.organization_id, channel.id)
    vault.erase(session, owner=owner)
    channel.secret_id = vault.seal(session, sealer=sealer, owner=owner, field=SECRET, value=place.secret, now=now)
    channel.secret_hint, channel.secret_set_at = place.hint, now
    session.flush()
    return True


def suppress_waiting(
    session: Session, channel: Channel, *, words: str, besides: ColumnElement[bool] | None = None
) -> int:
    """Send nothing of what waits for a channel. Returns how many messages that were."""
    mine = Delivery.organization_id == channel.organization_id, Delivery.channel_id == channel.id
    query = update(Delivery).where(*mine, Delivery.state.in_(_WAITING))
    if besides is not None:
        query = query.where(besides)
    return count_changed(session, query.values(state=DeliveryState.SUPPRESSED.value, last_error=words))


def believe_again(session: Session, channel: Channel, *, now: datetime) -> None:
    """Switch it on, and let what waits for it try at once."""
    channel.state, channel.updated_at = ChannelState.ON.value, now
    channel.broken_at = channel.quiet_until = None
    session.flush()
    mine = Delivery.organization_id == channel.organization_id, Delivery.channel_id == channel.id
    session.execute(update(Delivery).where(*mine, Delivery.state.in_(_WAITING)).values(next_try_at=now))


def _mend(session: Session, actor: Actor, channel: Channel, now: datetime) -> None:
    was_broken = channel.state == ChannelState.BROKEN.value
    believe_again(session, channel, now=now)
    if was_broken:
        _note(session, actor, channel.id, "mended", f"The channel “{channel.name}” is used again", now)


def _held(session: Session, sealer: Sealer, channel: Channel) -> str | None:
    try:
        return open_place(session, sealer=sealer, channel=channel).secret
    except (SecretNotFound, SealBroken, KeyUnknown):
        # What does not open any more is replaced like any other.
        return None


def _make_fallback(session: Session, channel: Channel, now: datetime) -> None:
    others = Channel.organization_id == channel.organization_id, Channel.id != channel.id
    session.execute(update(Channel).where(*others, Channel.is_fallback).values(is_fallback=False))
    channel.is_fallback, channel.updated_at = True, now
    session.flush()


def _differences(channel: Channel, name: str, draft: ChannelDraft) -> dict[str, Any]:
    before = {"name": channel.name, "fallback": channel.is_fallback, **channel.settings}
    after = {"name": name, "fallback": draft.is_fallback, **draft.place.settings}
    return {
        field: [before.get(field), after.get(field)]
        for field in {**before, **after}
        if before.get(field) != after.get(field)
    }


def _refuse_too_many(session: Session, actor: Actor) -> None:
    query = select(func.count()).select_from(Channel).where(Channel.organization_id == actor.organization_id, _IN_USE)
    if (session.scalar(query) or 0) >= MOST_CHANNELS:
        raise TooManyChannels(f"An organization has at most {MOST_CHANNELS} channels. Delete some first.")


def _name_taken(name: str) -> ChannelNameTaken:
    return ChannelNameTaken(f"Another channel is called “{name}”. Choose another name.", field="name")


def _note(
    session: Session,
    actor: Actor,
    channel_id: UUID,
    verb: str,
    summary: str,
    now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action=f"channel.{verb}", subject_id=channel_id,
        summary=summary, now=now, changes=changes,
    )  # fmt: skip
