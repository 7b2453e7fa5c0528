"""The forms of channels: which kind, a new one, and one as it stands. What they do: actions/channels.py."""

from uuid import UUID

from flask import Response

from app.core.errors import NotFound
from app.core.ids import new_token
from app.edge.identity import current_actor
from app.edge.runtime import request_session, runtime
from app.notifications.channel_rows import ChannelRow, get_channel
from app.notifications.rule_rows import list_rules
from app.notifications.signing_keys import NewKey
from app.notifications.types import ChannelKind
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.channels import ChannelForm, channel_form
from app.web.pages.channel_view import KindCard, channel_line, kind_cards
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import invalid, page


class KindUnknown(NotFound):
    """The address names a kind of channel that there is none of."""


@route(web, "/notifications/channels/new", permission=Permission.MANAGE_NOTIFICATIONS)
def choose_channel() -> Response:
    """Which kind of channel to make."""
    return page("notifications/channel_kinds.html", cards=kind_cards(runtime().channels.couriers), refused=refusals())


@route(web, "/notifications/channels/new/<kind>", permission=Permission.MANAGE_NOTIFICATIONS)
def new_channel(kind: str) -> Response:
    """The form of a new channel."""
    form = channel_form(runtime().channels.couriers[known_kind(kind)], is_sent=False)
    form.tells_everything.data = not has_rules()
    return new_channel_page(kind, form)


@route(web, "/notifications/channels/<uuid:channel_id>", permission=Permission.MANAGE_NOTIFICATIONS)
def channel(channel_id: UUID) -> Response:
    """One channel as it stands, to change it."""
    row = read_channel(channel_id)
    return channel_page(row, channel_form(runtime().channels.couriers[row.kind], before=row, is_sent=False))


@route(web, "/notifications/channels/<uuid:channel_id>/signing-key", permission=Permission.MANAGE_NOTIFICATIONS)
def ask_for_key(channel_id: UUID) -> Response:
    """The question before a webhook gets a new key to sign with."""
    row = read_channel(channel_id)
    if row.kind is not ChannelKind.WEBHOOK:
        raise KindUnknown("Only a webhook of your own has a signing key.")
    return page("notifications/key_question.html", row=row, once=new_token())


def key_page(made: NewKey) -> Response:
    """A key that was made, shown this once."""
    return page("notifications/key_made.html", made=made)


def new_channel_page(kind: str, form: ChannelForm, *, status: int = 200) -> Response:
    """The form of a new channel; after a refusal with its messages."""
    return invalid("notifications/channel_new.html", status=status, card=_card(known_kind(kind)), form=form)


def channel_page(row: ChannelRow, form: ChannelForm, *, status: int = 200) -> Response:
    """The form of a channel that is there; after a refusal with its messages."""
    line = channel_line(row, runtime().channels.couriers[row.kind])
    return invalid("notifications/channel.html", status=status, line=line, form=form)


def read_channel(channel_id: UUID) -> ChannelRow:
    """Raises ChannelNotFound."""
    return get_channel(request_session(), organization_id=current_actor().organization_id, channel_id=channel_id)


def has_rules() -> bool:
    """Whether somebody said already what is to be told."""
    return bool(list_rules(request_session(), organization_id=current_actor().organization_id))


def known_kind(word: str) -> ChannelKind:
    """The kind that an address names. Raises KindUnknown."""
    try:
        return ChannelKind(word)
    except ValueError:
        raise KindUnknown("There is no such kind of channel.") from None


def _card(kind: ChannelKind) -> KindCard:
    return next(card for card in kind_cards(runtime().channels.couriers) if card.kind is kind)
