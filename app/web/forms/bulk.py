"""What is asked before something is done to many things at once. What is acceptable, the commands decide."""

from typing import Any

from wtforms import Field, RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import Optional

from app.ops.bulk.service import LONGEST_REASON
from app.schedules.policies import Missed
from app.schedules.tags import LONGEST_TAG
from app.web.forms.account import TimezoneField
from app.web.forms.base import BaseForm

_MISSED = {
    Missed.SKIP.value: "Leave them: they stay missed",
    Missed.LATEST.value: "Run the latest of each now",
    Missed.ALL.value: "Run all of them now, of each as many as it makes up for",
}
_NOT_TYPED = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
# What each of them asks for; all others ask for nothing.
_ASKED = {
    "schedules.enable": "missed",
    "schedules.add_tag": "tag",
    "schedules.remove_tag": "tag",
    "schedules.move_zone": "timezone",
}


class BulkForm(BaseForm):
    """All that may be asked for; a page shows what its action needs."""

    tag = StringField("Tag", render_kw={"maxlength": LONGEST_TAG, **_NOT_TYPED})
    timezone = TimezoneField()
    missed = RadioField("What is to become of the slots that they missed?", choices=_MISSED, validate_choice=False)
    pace = RadioField("How fast?", choices={"paced": "A few a minute", "at_once": "All now"}, validate_choice=False)
    count = StringField("How many?", [Optional()], render_kw={"inputmode": "numeric", **_NOT_TYPED})
    reason = StringField("Why", [Optional()], render_kw={"maxlength": LONGEST_REASON, "autocomplete": "off"})

    def field_of(self, kind: str) -> Field | None:
        """What it asks for; None where nothing has to be said."""
        name = _ASKED.get(kind)
        return None if name is None else self[name]

    def offer_paces(self, per_minute: int, total: int, *, is_paced: bool | None) -> None:
        """Say what the two are for this selection, and choose one unless somebody did."""
        words = {"paced": f"{per_minute:,} a minute", "at_once": f"All {total:,} now"}
        self.pace.choices = [SelectChoice(value=value, label=label) for value, label in words.items()]
        if is_paced is not None:
            self.pace.data = "paced" if is_paced else "at_once"

    @property
    def wants_all_at_once(self) -> bool:
        return bool(self.pace.data == "at_once")

    @property
    def counted(self) -> int | None:
        """How many somebody typed that they are; None for what is no number."""
        text = (self.count.data or "").replace(",", "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None

    def parameters_of(self, kind: str) -> dict[str, Any]:
        """What was said of that."""
        field = self.field_of(kind)
        return {} if field is None or not field.data else {field.name: field.data}
