"""Where nothing stands in for a broken channel: mail to the organization's admins, by a channel that Belfry makes.

It is a channel like any other, to be seen, changed, switched off or deleted.
"""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.couriers.mail_addresses import MOST_ADDRESSES, is_mail_address
from app.notifications.models import Channel
from app.notifications.types import ChannelKind, ChannelState
from app.tenants.access import Actor
from app.tenants.roles import Role, rank
from app.tenants.roster import list_members

NAME = "Admins, by e-mail"


def make_last_resort(session: Session, broken: Channel, *, actor: Actor, now: datetime) -> Channel | None:
    """A new channel to the admins. None where there is one already, used or not, or mail does not reach them."""
    members = list_members(session, organization_id=broken.organization_id)
    may_mend = [one.email for one in members if rank(one.role) >= rank(Role.ADMIN) and not one.is_disabled]
    addresses = [email for email in may_mend if is_mail_address(email)][:MOST_ADDRESSES]
    # Of another mail channel these are the addresses; no other kind has any.
    tried = str(broken.settings.get("addresses", "")).split(", ")
    if set(addresses) <= set(tried):
        return None
    channel = Channel(
        id=new_id(),
        organization_id=broken.organization_id,
        name=NAME,
        kind=ChannelKind.EMAIL.value,
        settings={"addresses": ", ".join(addresses)},
        state=ChannelState.ON.value,
        is_fallback=False,
        created_at=now,
        updated_at=now,
    )
    try:
        # The unique name decides: whoever switched it off is not told against their will.
        with session.begin_nested():
            session.add(channel)
    except IntegrityError:
        return None
    summary = f"Made the channel “{NAME}”: no other tells that “{broken.name}” is broken"
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action="channel.created", subject_id=channel.id,
        summary=summary, now=now,
    )  # fmt: skip
    return channel
