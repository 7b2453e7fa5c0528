"""The forms of connections. What is acceptable, the commands decide. What signs in is never shown again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar

from wtforms import Field, FileField, HiddenField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from app.syncs.connection_changes import LONGEST_NAME
from app.syncs.doors import FoundAccount
from app.syncs.signs.sign import LONGEST_ACCOUNT, LONGEST_SECRET, DoorSign, LoginField, LoginKind, SecretInvalid
from app.web.forms.base import BaseForm, text_of

_TYPED_ONCE = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "maxlength": LONGEST_SECRET}
_Ways = TypeVar("_Ways", bound="WaysForm")
_NAME = {"autocomplete": "off", "maxlength": LONGEST_NAME}


class LoginForm(BaseForm):
    """Another login for a connection."""

    # Not marked as optional: whoever has nothing kept gives one.
    token: Field = PasswordField(render_kw=_TYPED_ONCE)

    @property
    def secret(self) -> str:
        """What was given to sign in with."""
        return text_of(self.token)

    def forget_secret(self) -> None:
        """Take it out of what is rendered. The widget of a password leaves it out anyway."""
        self.token.data = None


class KeyFileForm(LoginForm):
    """The same for the text of a file, which is uploaded or pasted: one of the two, so none is marked as optional."""

    token: Field = TextAreaField(render_kw=_TYPED_ONCE | {"rows": 4})
    key_file = FileField("Key file", render_kw={"accept": ".json,application/json"})

    @property
    def secret(self) -> str:
        upload = self.key_file.data
        if not upload:
            return text_of(self.token)
        upload.seek(0)
        # More than that is none, and is refused for its length.
        return bytes(upload.read(LONGEST_SECRET + 1)).decode("utf-8", "replace")

    def forget_secret(self) -> None:
        self.token.data = self.key_file.data = None


@dataclass(frozen=True)
class Way:
    """One of several ways to sign in, with its fields. It is unfolded where something was typed, or nothing is kept."""

    kind: LoginKind
    fields: Sequence[Field]
    is_open: bool


class WaysForm(LoginForm):
    """The same where there are several ways to sign in: what was typed for one of them is put together as JSON."""

    token: Field = None  # type: ignore[assignment]  # which takes the field out of the form
    kinds: ClassVar[tuple[LoginKind, ...]] = ()

    @property
    def secret(self) -> str:
        filled = [kind for kind in self.kinds if self._typed(kind)]
        if len(filled) > 1:
            names = " and ".join(f"“{kind.label}”" for kind in filled)
            raise SecretInvalid(f"Fill in one way to sign in alone, and not {names}.", field="token")
        return json.dumps(self._typed(filled[0])) if filled else ""

    @property
    def ways(self) -> list[Way]:
        """All of them, the one that was used unfolded, or else the first."""
        shown = next((kind for kind in self.kinds if self.was_used(kind)), self.kinds[0])
        return [Way(kind, [self[_name_of(kind, each)] for each in kind.fields], kind is shown) for kind in self.kinds]

    def was_used(self, kind: LoginKind) -> bool:
        """Whether something was sent for it, though what is secret of it is forgotten by now."""
        return any((self[_name_of(kind, each)].raw_data or [""])[0] for each in kind.fields)

    def forget_secret(self) -> None:
        for kind in self.kinds:
            for each in kind.fields:
                if each.is_secret:
                    self[_name_of(kind, each)].data = None

    def _typed(self, kind: LoginKind) -> dict[str, str]:
        typed = {each.name: text_of(self[_name_of(kind, each)]).strip() for each in kind.fields}
        return {name: text for name, text in typed.items() if text}


class ConnectionForm(LoginForm):
    """A new connection. `kept` is the login of the form before, sealed for the person alone."""

    kept = HiddenField()
    account_id = StringField(validators=[Optional()], render_kw={"autocomplete": "off", "maxlength": LONGEST_ACCOUNT})
    name = StringField("Name", [Optional()], render_kw=_NAME)

    chosen_account = SelectField(choices=[], validate_choice=False)

    def offer(self, accounts: Sequence[FoundAccount]) -> None:
        """Let the person choose between accounts."""
        self.chosen_account.choices = [(one.id, _choice_words(one)) for one in accounts]

    @property
    def account(self) -> str:
        """The account that was chosen or typed; empty for neither."""
        return text_of(self.chosen_account).strip() or text_of(self.account_id).strip()


class KeyFileConnectionForm(KeyFileForm, ConnectionForm):
    """A new connection that signs in with the text of a file."""


class WaysConnectionForm(WaysForm, ConnectionForm):
    """A new connection that may sign in in several ways."""

    @property
    def secret(self) -> str:
        # What names the app stays typed in beside a login that is kept, and is no other login by itself.
        secrets = (self[_name_of(kind, each)] for kind in self.kinds for each in kind.fields if each.is_secret)
        if text_of(self.kept) and not any(map(text_of, secrets)):
            return ""
        return super().secret


class RenameForm(BaseForm):
    """What a connection is called."""

    name = StringField("Name", render_kw=_NAME)

    @classmethod
    def showing(cls, name: str, **more: Any) -> "RenameForm":
        """The form as the connection stands."""
        return cls(None, data={"name": name}, **more)


# Flask-WTF takes what was sent by itself; None keeps it from that.
def connection_form(sign: DoorSign, *, is_sent: bool = True) -> ConnectionForm:
    """The form of a new connection to a service, in its words."""
    kind = KeyFileConnectionForm if sign.is_file else ConnectionForm
    kind = _with_ways(WaysConnectionForm, sign) if sign.kinds else kind
    form = kind() if is_sent else kind(None)
    form.account_id.label.text = form.chosen_account.label.text = sign.account_label
    form.account_id.flags.optional = sign.lists_accounts
    _name_login(form, sign)
    return form


def login_form(sign: DoorSign, *, is_sent: bool = True) -> LoginForm:
    """The form that takes another login of a service, in its words."""
    kind = KeyFileForm if sign.is_file else LoginForm
    kind = _with_ways(WaysForm, sign) if sign.kinds else kind
    form = kind() if is_sent else kind(None)
    _name_login(form, sign)
    return form


@cache
def _with_ways(form: type[_Ways], sign: DoorSign) -> type[_Ways]:
    """The form with the fields of each way to sign in to a service."""
    fields: dict[str, Any] = {
        _name_of(kind, each): _field_of(each) for kind in sign.kinds for each in kind.fields
    }  # fmt: skip
    return type(form.__name__, (form,), fields | {"kinds": sign.kinds})


def _field_of(each: LoginField) -> Field:
    widget = PasswordField if each.is_secret else StringField
    # Not marked as optional: of the way that is chosen, all are needed.
    return widget(each.label, render_kw=_TYPED_ONCE)


def _name_of(kind: LoginKind, each: LoginField) -> str:
    return f"{kind.value}_{each.name}"


def _name_login(form: LoginForm, sign: DoorSign) -> None:
    if not sign.kinds:
        form.token.label.text = sign.login_label


def _choice_words(account: FoundAccount) -> str:
    facts = [account.id, *([account.currency] if account.currency else [])]
    return f"{account.name} ({', '.join(facts)})"
