"""What the forms and buttons of channels do. What is checked or sent outside, is so outside of the transaction."""

from collections.abc import Callable
from uuid import UUID

from flask import Response, request, url_for

from app.core.errors import AppError, Conflict, Invalid
from app.core.ids import digest
from app.edge.database import roll_back
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.edge.transactions import outside_transaction
from app.notifications.channel_changes import (
    ChannelDraft,
    change_channel,
    delete_channel,
    make_channel,
    restore_channel,
    switch_channel,
)
from app.notifications.channel_desk import TooManyChannelTests
from app.notifications.rule_changes import RuleDraft, add_rule
from app.notifications.signing_keys import NewKey, renew_signing_key
from app.tenants.access import Permission
from app.tenants.replays import Replay, begin_or_replay, keep_answer
from app.web.blueprint import web
from app.web.forms.base import text_of
from app.web.forms.channels import ChannelForm, channel_form
from app.web.pages.channels import channel_page, key_page, known_kind, new_channel_page, read_channel
from app.web.permissions import route
from app.web.responses import ToastKind, go_to, see_other, toast

# What is shown at the form that it came from.
_SHOWN = (Invalid, Conflict, TooManyChannelTests)


@route(web, "/notifications/channels/new/<kind>", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def add_channel(kind: str) -> Response:
    """Make a channel, switched on."""
    desk = runtime().channels
    courier = desk.couriers[known_kind(kind)]
    form = channel_form(courier)
    try:
        form.validate()
        name, given = text_of(form.name).strip() or courier.label, form.given
        actor = current_actor()
        draft = outside_transaction(
            lambda: desk.draft(actor, kind, name, given, is_fallback=bool(form.is_fallback.data))
        )
        channel_id = make_channel(request_session(), actor=actor, sealer=desk.sealer, draft=draft, now=request_now())
        if form.tells_everything.data:
            rule = RuleDraft([channel_id])
            add_rule(request_session(), actor=actor, draft=rule, now=request_now())
    except _SHOWN as error:
        return _refused(form, error, lambda status: new_channel_page(kind, form, status=status))
    if draft.place.made is not None:
        return key_page(NewKey(channel_id, name, draft.place.made))
    words = "Send a test to see that messages arrive."
    if not form.tells_everything.data:
        words = "No rule tells by it yet: choose it in one. " + words
    return toast(see_other("web.notifications"), f"{name} is there. {words}")


@route(web, "/notifications/channels/<uuid:channel_id>", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def save_channel(channel_id: UUID) -> Response:
    """Let a channel lead elsewhere, or be called otherwise."""
    desk, actor, row = runtime().channels, current_actor(), read_channel(channel_id)
    form = channel_form(desk.couriers[row.kind], before=row)
    try:
        form.validate()
        name, given = text_of(form.name).strip() or None, form.given
        draft: ChannelDraft = outside_transaction(
            lambda: desk.redraft(actor, channel_id, name, given, is_fallback=bool(form.is_fallback.data))
        )
        change_channel(
            request_session(), actor=actor, sealer=desk.sealer, channel_id=channel_id, draft=draft, now=request_now()
        )
    except _SHOWN as error:
        return _refused(form, error, lambda status: channel_page(read_channel(channel_id), form, status=status))
    if draft.place.made is not None:
        return key_page(NewKey(channel_id, draft.name, draft.place.made))
    return toast(see_other("web.notifications"), f"{draft.name} is saved.")


@route(
    web, "/notifications/channels/<uuid:channel_id>/signing-key", permission=Permission.MANAGE_NOTIFICATIONS,
    methods=["POST"],
)  # fmt: skip
def make_key(channel_id: UUID) -> Response:
    """Sign with a new key from now on, and show it this once."""
    read_channel(channel_id)
    if _came_before(request.form.get("once", "")):
        words = "That key was made already, and it is shown only once. If you did not copy it, make another."
        return toast(see_other("web.channel", channel_id=channel_id), words, kind=ToastKind.ERROR)
    try:
        made = renew_signing_key(
            request_session(), actor=current_actor(), sealer=runtime().channels.sealer, channel_id=channel_id,
            now=request_now(),
        )  # fmt: skip
    except Invalid as error:
        roll_back(runtime().requests)
        return toast(see_other("web.channel", channel_id=channel_id), error.message, kind=ToastKind.ERROR)
    return key_page(made)


@route(
    web, "/notifications/channels/<uuid:channel_id>/test", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"]
)
def test_channel(channel_id: UUID) -> Response:
    """Send a test message now; the list shows what came of it."""
    actor = current_actor()
    read_channel(channel_id)
    try:
        found = outside_transaction(lambda: runtime().channels.test(actor, channel_id))
    except TooManyChannelTests as error:
        return toast(see_other("web.notifications"), error.message, kind=ToastKind.ERROR)
    if found.delivery_id is None:
        return toast(see_other("web.notifications"), found.words, kind=ToastKind.ERROR)
    return go_to(url_for("web.notifications", tested=found.delivery_id, _anchor=f"c-{channel_id}"))


@route(
    web, "/notifications/channels/<uuid:channel_id>/enabled", permission=Permission.MANAGE_NOTIFICATIONS,
    methods=["POST"],
)  # fmt: skip
def turn_channel(channel_id: UUID) -> Response:
    """Use a channel, or do not for now."""
    row, is_on = read_channel(channel_id), request.form.get("enabled") == "yes"
    switch_channel(request_session(), actor=current_actor(), channel_id=channel_id, is_on=is_on, now=request_now())
    words = "on." if is_on else "off. What waits for it is not sent."
    return toast(see_other("web.notifications"), f"{row.name} is {words}")


@route(
    web, "/notifications/channels/<uuid:channel_id>/deletion", permission=Permission.MANAGE_NOTIFICATIONS,
    methods=["POST"],
)  # fmt: skip
def remove_channel(channel_id: UUID) -> Response:
    """Delete a channel; the toast brings it back."""
    name = delete_channel(request_session(), actor=current_actor(), channel_id=channel_id, now=request_now())
    undo = {"label": "Undo", "url": url_for("web.bring_channel_back", channel_id=channel_id), "post": True}
    return toast(see_other("web.notifications"), f"{name} is deleted.", action=undo)


@route(
    web, "/notifications/channels/<uuid:channel_id>/restoration", permission=Permission.MANAGE_NOTIFICATIONS,
    methods=["POST"],
)  # fmt: skip
def bring_channel_back(channel_id: UUID) -> Response:
    """Bring a channel back that was deleted within the last week."""
    name = restore_channel(request_session(), actor=current_actor(), channel_id=channel_id, now=request_now())
    return toast(see_other("web.notifications"), f"{name} is back.")


def _refused(form: ChannelForm, error: AppError, again: Callable[[int], Response]) -> Response:
    """The form with what was typed, but for its secrets."""
    roll_back(runtime().requests)
    form.show_error(error)
    return again(status_of(error))


def _came_before(once: str) -> bool:
    """Whether this very form has made a key: reloading the page that shows one would make another."""
    session, actor, key = request_session(), current_actor(), digest(once)
    before = begin_or_replay(session, actor=actor, key=key, fingerprint=digest("key form"), now=request_now())
    if before is None:
        # Only that there was an answer is kept: the key is in it.
        keep_answer(session, actor=actor, key=key, replay=Replay(200, ""))
    return before is not None
