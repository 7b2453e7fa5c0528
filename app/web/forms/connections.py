"""The forms of connections. What is acceptable, the commands decide. A token that was typed is never shown again."""

from collections.abc import Sequence
from typing import Any

from wtforms import HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import Optional

from app.syncs.connection_changes import LONGEST_NAME, LONGEST_TOKEN
from app.syncs.meta.ad_account import MetaAccount
from app.web.forms.base import BaseForm, text_of

_TYPED_ONCE = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "maxlength": LONGEST_TOKEN}
_NAME = {"autocomplete": "off", "maxlength": LONGEST_NAME}


class LoginForm(BaseForm):
    """Another token for a connection."""

    token = PasswordField("Access token", [Optional()], render_kw=_TYPED_ONCE)


class ConnectionForm(LoginForm):
    """A new connection. `kept` is the token of the form before, sealed for the person alone."""

    kept = HiddenField()
    account_id = StringField("Ad account", [Optional()], render_kw={"autocomplete": "off", "maxlength": 60})
    name = StringField("Name", [Optional()], render_kw=_NAME)

    chosen_account = SelectField("Ad account", choices=[], validate_choice=False)

    def offer(self, accounts: Sequence[MetaAccount]) -> None:
        """Let the person choose between accounts."""
        self.chosen_account.choices = [(one.id, f"{one.name} ({one.id}, {one.currency})") for one in accounts]

    @property
    def account(self) -> str:
        """The account that was chosen or typed; empty for neither."""
        return text_of(self.chosen_account).strip() or text_of(self.account_id).strip()

    def forget_token(self) -> None:
        """Take the token out of what is rendered. The widget leaves it out anyway."""
        self.token.data = None


class RenameForm(BaseForm):
    """What a connection is called."""

    name = StringField("Name", render_kw=_NAME)

    @classmethod
    def showing(cls, name: str, **more: Any) -> "RenameForm":
        """The form as the connection stands."""
        return cls(None, data={"name": name}, **more)
