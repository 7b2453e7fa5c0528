"""The keys that messages to a webhook of one's own are signed with. One that Belfry makes is shown once."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.sealing import KeyUnknown, SealBroken, Sealer
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.channel_changes import load_channel, open_place, seal_place
from app.notifications.couriers.errands import ChannelInvalid
from app.notifications.couriers.webhook import with_new_key
from app.notifications.types import ChannelKind
from app.tenants.access import Actor, Permission, require
from app.vault.service import SecretNotFound


@dataclass(frozen=True)
class NewKey:
    """A key that counts from now on, and the channel that signs with it."""

    channel_id: UUID
    channel_name: str
    key: str = field(repr=False)


def renew_signing_key(
    session: Session, *, actor: Actor, sealer: Sealer, channel_id: UUID, now: datetime
) -> NewKey:  # fmt: skip
    """Sign with a new key from now on; the one before counts no more. Raises ChannelNotFound or ChannelInvalid."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    channel = load_channel(session, organization_id=actor.organization_id, channel_id=channel_id)
    if channel.kind != ChannelKind.WEBHOOK.value:
        raise ChannelInvalid("Only a webhook of your own has a signing key.")
    try:
        place = with_new_key(open_place(session, sealer=sealer, channel=channel))
    except (SecretNotFound, SealBroken, KeyUnknown) as error:
        raise ChannelInvalid(f"{error.message} Give the channel its address again.") from error
    seal_place(session, sealer, channel, place, now)
    channel.updated_at = now
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action="channel.rekeyed", subject_id=channel.id,
        summary=f"Made a new signing key for the channel “{channel.name}”", now=now,
    )  # fmt: skip
    return NewKey(channel.id, channel.name, place.made or "")
