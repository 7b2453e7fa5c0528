"""`/channels`: where people are told. What is secret goes in and never comes out."""

from uuid import UUID

from app.api.channel_shapes import (
    ChannelChanges,
    ChannelFieldOut,
    ChannelIn,
    ChannelKindOut,
    ChannelOut,
    ChannelSavedOut,
    ChannelTestOut,
    SigningKeyOut,
    channel_out,
    channel_saved_out,
)
from app.api.models import Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import fresh_session, request_session, runtime
from app.notifications.channel_changes import (
    ChannelDraft,
    change_channel,
    delete_channel,
    make_channel,
    restore_channel,
    switch_channel,
)
from app.notifications.channel_desk import ChannelTried
from app.notifications.channel_rows import ChannelRow, get_channel, list_channels
from app.notifications.signing_keys import renew_signing_key
from app.notifications.types import ChannelKind, ChannelState
from app.tenants.access import Permission

_ONE = "/channels/<uuid:channel_id>"


@resource("GET", "/channel-kinds", permission=Permission.VIEW, query=Paging, answer=ChannelKindOut, is_list=True)
def list_channel_kinds(query: Paging) -> Page[ChannelKindOut]:
    """The kinds of channels there are, and what each asks for."""
    order = list(ChannelKind)
    found = [_kind(kind) for kind in order]
    return cut(found, query, key=lambda one: (order.index(one.kind),))


@resource("GET", "/channels", permission=Permission.VIEW, query=Paging, answer=ChannelOut, is_list=True)
def list_api_channels(query: Paging) -> Page[ChannelOut]:
    """All channels, those that do not work first."""
    found = list_channels(request_session(), organization_id=current_actor().organization_id)
    return cut([channel_out(row) for row in found], query, key=_place)


@resource("GET", _ONE, permission=Permission.VIEW, answer=ChannelOut)
def show_channel(channel_id: UUID) -> ChannelOut:
    """One channel."""
    return _one(channel_id)


def _draft(body: ChannelIn) -> ChannelDraft:
    desk = runtime().channels
    name = body.name or desk.couriers[body.kind].label
    return desk.draft(current_actor(), body.kind.value, name, body.settings, is_fallback=body.is_fallback)


@resource(
    "POST",
    "/channels",
    permission=Permission.MANAGE_NOTIFICATIONS,
    body=ChannelIn,
    answer=ChannelSavedOut,
    status=201,
    may_conflict=True,
    outside=_draft,
    secret_fields=("signing_key",),
)
def create_channel(body: ChannelIn, found: ChannelDraft) -> ChannelSavedOut:
    """Make a channel, switched on. Nothing is sent by it yet. A key that is made to sign with is answered this once."""
    channel_id = make_channel(
        request_session(), actor=current_actor(), sealer=runtime().channels.sealer, draft=found, now=request_now()
    )
    return channel_saved_out(_row(channel_id), signing_key=found.place.made)


def _redraft(channel_id: UUID, body: ChannelChanges) -> ChannelDraft | None:
    if not body.is_redrawn:
        return None
    return runtime().channels.redraft(
        current_actor(), channel_id, body.name, body.settings or {}, is_fallback=body.is_fallback
    )


@resource(
    "PATCH",
    _ONE,
    permission=Permission.MANAGE_NOTIFICATIONS,
    body=ChannelChanges,
    answer=ChannelSavedOut,
    may_conflict=True,
    outside=_redraft,
)
def change_api_channel(channel_id: UUID, body: ChannelChanges, found: ChannelDraft | None) -> ChannelSavedOut:
    """Change a channel, or switch it on or off. One that was broken is used again when its settings change."""
    session, actor, now = request_session(), current_actor(), request_now()
    if found is not None:
        sealer = runtime().channels.sealer
        change_channel(session, actor=actor, sealer=sealer, channel_id=channel_id, draft=found, now=now)
    if body.enabled is not None:
        switch_channel(session, actor=actor, channel_id=channel_id, is_on=body.enabled, now=now)
    return channel_saved_out(_row(channel_id), signing_key=None if found is None else found.place.made)


@resource(
    "POST",
    f"{_ONE}/signing-key",
    permission=Permission.MANAGE_NOTIFICATIONS,
    answer=SigningKeyOut,
    status=201,
    secret_fields=("signing_key",),
)
def renew_api_signing_key(channel_id: UUID) -> SigningKeyOut:
    """Let a webhook sign with a new key from now on. It is answered this once, and the one before counts no more."""
    sealer = runtime().channels.sealer
    made = renew_signing_key(
        request_session(), actor=current_actor(), sealer=sealer, channel_id=channel_id, now=request_now()
    )
    return SigningKeyOut(channel_id=made.channel_id, signing_key=made.key)


@resource("DELETE", _ONE, permission=Permission.MANAGE_NOTIFICATIONS)
def delete_api_channel(channel_id: UUID) -> Message:
    """Delete a channel. What waits for it is not sent; it can be brought back for a week."""
    name = delete_channel(request_session(), actor=current_actor(), channel_id=channel_id, now=request_now())
    return Message(None, f"Deleted the channel “{name}”.")


@resource(
    "POST",
    f"{_ONE}/restore",
    permission=Permission.MANAGE_NOTIFICATIONS,
    answer=ChannelOut,
    may_conflict=True,
)
def restore_api_channel(channel_id: UUID) -> ChannelOut:
    """Bring a channel back that was deleted within the last week."""
    restore_channel(request_session(), actor=current_actor(), channel_id=channel_id, now=request_now())
    return _one(channel_id)


def _test(channel_id: UUID) -> ChannelTried:
    return runtime().channels.test(current_actor(), channel_id)


@resource(
    "POST",
    f"{_ONE}/tests",
    permission=Permission.MANAGE_NOTIFICATIONS,
    answer=ChannelTestOut,
    status=201,
    outside=_test,
)
def test_api_channel(channel_id: UUID, found: ChannelTried) -> Message:
    """Send a test message now, which takes ten seconds at most. A good one ends that the channel is broken."""
    answer = ChannelTestOut(is_good=found.is_good, words=found.words, delivery_id=found.delivery_id)
    return Message(answer, found.words)


def _one(channel_id: UUID) -> ChannelOut:
    return channel_out(_row(channel_id))


def _row(channel_id: UUID) -> ChannelRow:
    return get_channel(fresh_session(), organization_id=current_actor().organization_id, channel_id=channel_id)


def _kind(kind: ChannelKind) -> ChannelKindOut:
    courier = runtime().channels.couriers[kind]
    fields = [
        ChannelFieldOut(
            name=one.name,
            label=one.label,
            hint=f"{one.hint} {one.if_empty}".rstrip(),
            is_secret=one.is_secret,
            is_required=one.is_required,
        )
        for one in courier.fields
    ]
    return ChannelKindOut(kind=kind, label=courier.label, can_edit=courier.can_edit, fields=fields)


def _place(one: ChannelOut) -> tuple[str, str, str]:
    return ("0" if one.state is ChannelState.BROKEN else "1"), one.name.casefold(), str(one.id)
