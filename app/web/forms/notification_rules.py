"""The form of a rule: about what, which troubles, how often, who is told. What is acceptable, the command decides."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session
from wtforms import BooleanField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.notifications.rule_changes import LONGEST_COOLDOWN_MINUTES, MOST_FAILURES, RuleDraft
from app.notifications.rule_rows import RuleRow
from app.notifications.scope_names import value_of_scope
from app.notifications.sentences import CHOSEN_TYPES, TYPE_NAMES
from app.notifications.types import DEFAULT_TYPES, ScopeKind
from app.web.forms.base import BaseForm, text_of
from app.web.forms.job_policies import WholeNumberField

SCOPES = {
    ScopeKind.ORGANIZATION.value: "Anything here",
    ScopeKind.SCHEDULE.value: "One schedule",
    ScopeKind.JOB.value: "One job",
    ScopeKind.TAG.value: "Schedules with a tag",
    ScopeKind.SERVICE.value: "Syncs of a service",
}
_LONGEST_NAME = 200


def _ticks(label: str) -> SelectMultipleField:
    return SelectMultipleField(
        label, choices={}, validate_choice=False, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )


class ScopeForm(BaseForm):
    """What something is about. Others may build on it."""

    scope_kind = SelectField("About", choices=SCOPES, validate_choice=False)
    scope_name = StringField("Which one", [Optional()], render_kw={"autocomplete": "off", "maxlength": _LONGEST_NAME})

    def read_scope(self, session: Session, organization_id: UUID) -> tuple[str, str | None]:
        """Its kind, and its value as it is stored. Raises ScopeUnclear."""
        kind, name = text_of(self.scope_kind) or ScopeKind.ORGANIZATION.value, text_of(self.scope_name).strip()
        return kind, value_of_scope(session, organization_id=organization_id, kind=kind, text=name)


class RuleForm(ScopeForm):
    """A rule."""

    types = _ticks("Tell when")
    channel_ids = _ticks("Tell by")
    after_failures = WholeNumberField(
        "Failures in a row", [InputRequired("Say after how many failures.")],
        render_kw={"min": 1, "max": MOST_FAILURES},
    )  # fmt: skip
    tells_recovery = BooleanField("Tell again when it works again")
    cooldown_minutes = WholeNumberField(
        "Minutes before the same cause is told again", [InputRequired("Say how many minutes.")],
        render_kw={"min": 0, "max": LONGEST_COOLDOWN_MINUTES},
    )  # fmt: skip

    def offer(self, channels: Sequence[tuple[UUID, str]]) -> None:
        """Let the person choose between channels."""
        self.channel_ids.choices = {str(id_): name for id_, name in channels}
        self.types.choices = {type_.value: TYPE_NAMES[type_] for type_ in CHOSEN_TYPES}

    def draft(self, session: Session, organization_id: UUID) -> RuleDraft:
        """The rule that was described. Raises ScopeUnclear."""
        kind, value = self.read_scope(session, organization_id)
        return RuleDraft(
            channel_ids=[UUID(one) for one in self.channel_ids.data or [] if _is_id(one)],
            types=tuple(self.types.data or ()),
            scope_kind=kind,
            scope_value=value,
            after_failures=_number(self.after_failures),
            tells_recovery=bool(self.tells_recovery.data),
            cooldown_minutes=_number(self.cooldown_minutes),
        )


def rule_form(
    channels: Sequence[tuple[UUID, str]], *, before: RuleRow | None = None, is_sent: bool = True
) -> RuleForm:  # fmt: skip
    """The form as the rule stands `before`, as it was sent, or with what a new rule begins with."""
    if is_sent:
        form = RuleForm()
    else:
        # Flask-WTF takes what was sent by itself; None keeps it from that.
        form = RuleForm(None, data=_fresh(channels) if before is None else _stored(before))
    form.offer(channels)
    return form


def _fresh(channels: Sequence[tuple[UUID, str]]) -> dict[str, object]:
    draft = RuleDraft(channel_ids=())
    return {
        "scope_kind": draft.scope_kind,
        "types": sorted(type_.value for type_ in DEFAULT_TYPES),
        "channel_ids": [str(id_) for id_, _name in channels] if len(channels) == 1 else [],
        "after_failures": draft.after_failures,
        "tells_recovery": draft.tells_recovery,
        "cooldown_minutes": draft.cooldown_minutes,
    }


def _stored(row: RuleRow) -> dict[str, object]:
    terms = row.terms
    return {
        "scope_kind": terms.scope_kind.value,
        "scope_name": row.scope_name or "",
        "types": [type_.value for type_ in terms.types],
        "channel_ids": [str(one) for one in terms.channel_ids],
        "after_failures": terms.after_failures,
        "tells_recovery": terms.tells_recovery,
        "cooldown_minutes": int(terms.cooldown.total_seconds() // 60),
    }


def _number(field: WholeNumberField) -> int:
    # What is no number is said at its field already, and no number of ours.
    return int(field.data) if isinstance(field.data, int) else -1


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
