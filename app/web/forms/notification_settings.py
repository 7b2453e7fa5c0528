"""The forms of quiet hours, the daily summary and times of maintenance. What is acceptable, the commands decide."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.notifications.clock_minutes import minute_of, time_words
from app.notifications.rule_rows import SettingsRow
from app.notifications.sentences import CHOSEN_TYPES, TYPE_NAMES
from app.notifications.telling_settings import LONGEST_REASON, SettingsDraft, WindowDraft, WindowInvalid
from app.notifications.types import ScopeKind
from app.ops.time_bounds import BoundInvalid, read_bound
from app.web.forms.account import TimezoneField
from app.web.forms.base import BaseForm, text_of
from app.web.forms.notification_rules import SCOPES as RULE_SCOPES
from app.web.forms.notification_rules import ScopeForm

# Of what nobody is told then.
SCOPES = {**RULE_SCOPES, ScopeKind.ORGANIZATION.value: "Everything here"}
_TIME = {"type": "time"}


def _ticks(label: str) -> SelectMultipleField:
    return SelectMultipleField(
        label, [Optional()], choices={}, validate_choice=False, widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )  # fmt: skip


class TellingForm(BaseForm):
    """Quiet hours, and the daily summary."""

    timezone = TimezoneField()
    quiet_from = StringField("Quiet from", [Optional()], render_kw=_TIME)
    quiet_until = StringField("Quiet until", [Optional()], render_kw=_TIME)
    quiet_lets_through = _ticks("Told in quiet hours as well")
    summary_at = StringField("Daily summary at", [Optional()], render_kw=_TIME)
    summary_channel_ids = _ticks("Summary sent by")

    def offer(self, channels: Sequence[tuple[UUID, str]]) -> None:
        """Let the person choose between channels."""
        self.summary_channel_ids.choices = {str(id_): name for id_, name in channels}
        self.quiet_lets_through.choices = {type_.value: TYPE_NAMES[type_] for type_ in CHOSEN_TYPES}

    def draft(self) -> SettingsDraft:
        """What was described. Raises TimeOfDayInvalid."""
        return SettingsDraft(
            zone=text_of(self.timezone),
            quiet_from=minute_of(text_of(self.quiet_from), field="quiet_from"),
            quiet_until=minute_of(text_of(self.quiet_until), field="quiet_until"),
            quiet_lets_through=tuple(self.quiet_lets_through.data or ()),
            summary_minute=minute_of(text_of(self.summary_at), field="summary_at"),
            summary_channel_ids=[UUID(one) for one in self.summary_channel_ids.data or [] if _is_id(one)],
        )


class WindowForm(ScopeForm):
    """A time of maintenance."""

    starts_at = StringField("From", render_kw={"type": "datetime-local"})
    ends_at = StringField("Until", render_kw={"type": "datetime-local"})
    scope_kind = SelectField("About", choices=SCOPES, validate_choice=False)
    reason = StringField("Why", [Optional()], render_kw={"autocomplete": "off", "maxlength": LONGEST_REASON})

    def draft(self, session: Session, organization_id: UUID, *, zone: str) -> WindowDraft:
        """What was described, by the clock of who described it. Raises WindowInvalid or ScopeUnclear."""
        kind, value = self.read_scope(session, organization_id)
        return WindowDraft(
            starts_at=_moment(text_of(self.starts_at), "starts_at", zone),
            ends_at=_moment(text_of(self.ends_at), "ends_at", zone),
            scope_kind=kind,
            scope_value=value,
            reason=text_of(self.reason),
        )


def telling_form(
    row: SettingsRow, channels: Sequence[tuple[UUID, str]], *, is_sent: bool = True
) -> TellingForm:  # fmt: skip
    """The form as it was sent, or as it is settled."""
    if is_sent:
        form = TellingForm()
    else:
        stored = {
            "timezone": row.zone,
            "quiet_from": time_words(row.quiet_from),
            "quiet_until": time_words(row.quiet_until),
            "quiet_lets_through": list(row.quiet_lets_through),
            "summary_at": time_words(row.summary_minute),
            "summary_channel_ids": [str(one) for one in row.summary_channel_ids],
        }
        # Flask-WTF takes what was sent by itself; None keeps it from that.
        form = TellingForm(None, data=stored)
    form.offer(channels)
    return form


def _moment(text: str, field: str, zone: str) -> datetime:
    try:
        found = read_bound(text, zone=zone, name="It", is_end=field == "ends_at")
    except BoundInvalid:
        found = None
    if found is None:
        raise WindowInvalid("Choose a day and a time.", field=field)
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
