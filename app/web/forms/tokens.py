"""The form of a new API token. What is acceptable, the command decides."""

from collections.abc import Iterable
from typing import Any

from wtforms import HiddenField, RadioField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, InputRequired, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.tenants.access import Permission
from app.tenants.token_queries import ACCOUNT_SCOPE, PLATFORM_SCOPE
from app.tenants.tokens import DEFAULT_DAYS, LONGEST_NAME, MOST_DAYS
from app.web.forms.base import BaseForm, text_of

SCOPE_PHRASES = {
    Permission.VIEW.value: "See jobs, schedules, runs and the queue",
    Permission.RUN.value: "Start and cancel runs",
    Permission.EDIT_SCHEDULES.value: "Make, change and delete schedules",
    Permission.EDIT_JOBS.value: "Make, change and delete jobs",
    Permission.MANAGE_CONNECTIONS.value: "Connect accounts, replace their logins and disconnect them",
    Permission.MANAGE_NOTIFICATIONS.value: "Make, change, test and delete channels, and say what is told",
    Permission.MANAGE_QUEUE.value: "Retry, give up and remove runs",
    Permission.VIEW_AUDIT.value: "See who did what, in the audit",
    Permission.MANAGE_TEAM.value: "Look after the team and its tokens",
    Permission.MANAGE_ORGANIZATION.value: "Name the organization and choose its time zone",
    ACCOUNT_SCOPE: "Change your own profile, and sign your browsers out",
    PLATFORM_SCOPE: "Look after the installation: everybody's queues and scheduling",
}
NEVER = "never"
EXPIRIES = {**{str(days): f"In {days} days" for days in (30, DEFAULT_DAYS, MOST_DAYS)}, NEVER: "Never"}
_NAME = {"autocomplete": "off", "maxlength": LONGEST_NAME}


class TokenForm(BaseForm):
    """A new token. What it may do is chosen from what its owner may do."""

    # Sent again by a browser that reloads the answer: then nothing more is made.
    once = HiddenField(validators=[InputRequired("This form is not complete. Reload the page and fill it in again.")])
    name = StringField("Name", [DataRequired("Give the token a name.")], render_kw=_NAME)
    scopes = SelectMultipleField(
        "It may",
        choices={},
        # What the role allows is the command's to say, in its own words.
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    expires_in_days = RadioField("It expires", [InputRequired("Say when the token expires.")], choices=EXPIRIES)

    def __init__(self, scopes: Iterable[str], **more: Any) -> None:
        super().__init__(**more)
        self.scopes.choices = {scope: SCOPE_PHRASES[scope] for scope in scopes}

    # A validator in the list above would have browsers demand every single box.
    def validate_scopes(self, field: SelectMultipleField) -> None:
        """WTForms calls this."""
        if not field.data:
            raise ValidationError("Choose at least one thing that the token may do.")

    @property
    def days(self) -> int | None:
        """How long the token lives; None for ever. To be asked once the form is valid."""
        chosen = text_of(self.expires_in_days)
        return None if chosen == NEVER else int(chosen)
