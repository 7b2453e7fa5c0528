"""The forms of channels: a name, and what the kind asks for. What is acceptable, the couriers decide."""

from collections.abc import Mapping
from typing import cast

from wtforms import BooleanField, Field, PasswordField, StringField
from wtforms.validators import Optional

from app.notifications.channel_changes import LONGEST_NAME
from app.notifications.channel_rows import ChannelRow
from app.notifications.couriers.errands import Courier, FieldWords
from app.web.forms.base import BaseForm, text_of

_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
_LONGEST_SECRET, _LONGEST_TEXT = 2_000, 1_000


class ChannelForm(BaseForm):
    """What channels of every kind have."""

    name = StringField("Name", [Optional()], render_kw={"autocomplete": "off", "maxlength": LONGEST_NAME})
    is_fallback = BooleanField("Use it where another channel does not work")

    tells_everything = BooleanField("Tell by it when anything goes wrong, and when it works again")

    own: tuple[FieldWords, ...] = ()

    @property
    def given(self) -> dict[str, str]:
        """What was typed into the fields of its kind."""
        return {words.name: text_of(self[words.name]) for words in self.own}


def channel_form(courier: Courier, *, before: ChannelRow | None = None, is_sent: bool = True) -> ChannelForm:
    """The form of a channel, as it stands `before` or as it was sent. A secret is never shown again."""
    form = _class_of(courier.fields, keeps_secrets=before is not None)
    # Flask-WTF takes what was sent by itself; None keeps it from that.
    return form() if is_sent else form(None, data={} if before is None else _stored(before))


def _stored(row: ChannelRow) -> Mapping[str, object]:
    return {**row.settings, "name": row.name, "is_fallback": row.is_fallback}


def _class_of(fields: tuple[FieldWords, ...], *, keeps_secrets: bool) -> type[ChannelForm]:
    made = {words.name: _field(words, keeps_secrets=keeps_secrets) for words in fields}
    return cast("type[ChannelForm]", type("FormOfAChannel", (ChannelForm,), {**made, "own": fields}))


def _field(words: FieldWords, *, keeps_secrets: bool) -> Field:
    may_stay_empty = not words.is_required or (words.is_secret and keeps_secrets)
    checks = [Optional()] if may_stay_empty else []
    if words.is_secret:
        return PasswordField(words.label, checks, render_kw=_PLAIN | {"maxlength": _LONGEST_SECRET})
    return StringField(words.label, checks, render_kw=_PLAIN | {"maxlength": _LONGEST_TEXT})
