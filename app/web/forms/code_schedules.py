"""Forms about a schedule in code: when it runs here, and notes for each other."""

from typing import Any

from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional

from app.ops.code_rows import CodeScheduleRow
from app.ops.code_schedules import LONGEST_NOTES
from app.schedules.policies import Missed, Overlap
from app.web.forms.account import TimezoneField
from app.web.forms.base import BaseForm, text_of
from app.web.forms.schedule_words import missed_words, overlap_words


class CodeTimesForm(BaseForm):
    """What a page may say otherwise than the code."""

    cron = StringField("Cron text", [InputRequired("Say when it runs.")], render_kw={"autocomplete": "off"})
    timezone = TimezoneField()
    missed = RadioField("If Belfry was off at that time", choices={each.value: missed_words(each) for each in Missed})
    overlap = RadioField(
        "If the previous run is still going", choices={each.value: overlap_words(each) for each in Overlap}
    )

    def changes(self) -> dict[str, Any]:
        """What the person wants. To be asked for when the form is valid."""
        return {
            "cron": text_of(self.cron),
            "timezone": text_of(self.timezone),
            "missed": Missed(text_of(self.missed)),
            "overlap": Overlap(text_of(self.overlap)),
        }


class NotesForm(BaseForm):
    """What operators want each other to know."""

    notes = TextAreaField("Notes", [Optional()], render_kw={"rows": 3, "maxlength": LONGEST_NOTES})


def times_of(row: CodeScheduleRow) -> dict[str, Any]:
    """What the form of a schedule opens with."""
    found = row.schedule
    return {
        "cron": found.cron,
        "timezone": found.timezone,
        "missed": found.missed.value,
        "overlap": found.overlap.value,
    }
