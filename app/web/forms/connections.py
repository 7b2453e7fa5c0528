"""The forms of connections. What is acceptable, the commands decide. What signs in is never shown again."""

from collections.abc import Sequence
from typing import Any

from wtforms import Field, FileField, HiddenField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from app.syncs.connection_changes import LONGEST_NAME
from app.syncs.doors import FoundAccount
from app.syncs.signs.sign import LONGEST_SECRET, DoorSign
from app.web.forms.base import BaseForm, text_of

_TYPED_ONCE = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "maxlength": LONGEST_SECRET}
_NAME = {"autocomplete": "off", "maxlength": LONGEST_NAME}


class LoginForm(BaseForm):
    """Another login for a connection."""

    token: Field = PasswordField(validators=[Optional()], render_kw=_TYPED_ONCE)

    @property
    def secret(self) -> str:
        """What was given to sign in with."""
        return text_of(self.token)

    def forget_secret(self) -> None:
        """Take it out of what is rendered. The widget of a password leaves it out anyway."""
        self.token.data = None


class KeyFileForm(LoginForm):
    """The same for the text of a file, which is uploaded or pasted."""

    token: Field = TextAreaField(validators=[Optional()], render_kw=_TYPED_ONCE | {"rows": 4})
    key_file = FileField("Key file", [Optional()], render_kw={"accept": ".json,application/json"})

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


class ConnectionForm(LoginForm):
    """A new connection. `kept` is the login of the form before, sealed for the person alone."""

    kept = HiddenField()
    account_id = StringField(validators=[Optional()], render_kw={"autocomplete": "off", "maxlength": 300})
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
    form = kind() if is_sent else kind(None)
    form.account_id.label.text = form.chosen_account.label.text = sign.account_label
    form.token.label.text = sign.login_label
    return form


def login_form(sign: DoorSign, *, is_sent: bool = True) -> LoginForm:
    """The form that takes another login of a service, in its words."""
    kind = KeyFileForm if sign.is_file else LoginForm
    form = kind() if is_sent else kind(None)
    form.token.label.text = sign.login_label
    return form


def _choice_words(account: FoundAccount) -> str:
    facts = [account.id, *([account.currency] if account.currency else [])]
    return f"{account.name} ({', '.join(facts)})"
