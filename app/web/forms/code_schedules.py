"""Forms about a schedule in code: when it runs here, and notes for each other."""

from datetime import timedelta
from typing import Any

from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional

from app.ops.code_rows import CodeScheduleRow
from app.ops.code_schedules import LONGEST_NOTES
from app.schedules.clock_changes import ClockChange
from app.schedules.drafts import said_max_age
from app.schedules.policies import MOST_MADE_UP, Missed, Overlap
from app.schedules.policy_fields import length_words, read_length
from app.schedules.tags import read_tags
from app.web.forms.account import TimezoneField
from app.web.forms.base import BaseForm, text_of
from app.web.forms.job_policies import WholeNumberField
from app.web.forms.schedule_words import missed_words, overlap_words

_CLOCK_CHANGE_WORDS = {
    ClockChange.ONCE: "Run once",
    ClockChange.SKIP: "Leave a time that does not exist out",
    ClockChange.TWICE: "Run at both times that exist twice",
}


class CodeTimesForm(BaseForm):
    """What a page may say otherwise than the code."""

    cron = StringField("Cron text", [InputRequired("Say when it runs.")], render_kw={"autocomplete": "off"})
    timezone = TimezoneField()
    clock_change = RadioField(
        "When the clocks change",
        choices={each.value: words for each, words in _CLOCK_CHANGE_WORDS.items()},
        validate_choice=False,
    )
    missed = RadioField("If Belfry was off at that time", choices={each.value: missed_words(each) for each in Missed})
    missed_limit = WholeNumberField("At most so many of them", [Optional()], render_kw={"min": 1, "max": MOST_MADE_UP})
    missed_max_age_seconds = StringField("None that is older than", [Optional()], render_kw={"autocomplete": "off"})
    overlap = RadioField(
        "If the previous run is still going", choices={each.value: overlap_words(each) for each in Overlap}
    )
    tags = StringField("Tags", [Optional()], render_kw={"autocomplete": "off"})

    def changes(self) -> dict[str, Any]:
        """What the person wants. To be asked for when the form is valid. Raises PolicyInvalid or TagInvalid."""
        max_age = text_of(self.missed_max_age_seconds).strip()
        said = text_of(self.clock_change)
        changes = {
            "cron": text_of(self.cron),
            "timezone": text_of(self.timezone),
            "missed": Missed(text_of(self.missed)),
            "overlap": Overlap(text_of(self.overlap)),
            "clock_change": ClockChange(said) if said in set(ClockChange) else None,
            "missed_limit": self.missed_limit.data,
            "missed_max_age_seconds": read_length(max_age) if max_age else None,
            "tags": read_tags(text_of(self.tags)),
        }
        # What was not sent, or left empty, stays as it is. A maximum age left empty is the one that suits the times.
        is_said = {name for name, value in changes.items() if value is not None or name == "missed_max_age_seconds"}
        return {name: changes[name] for name in is_said if self[name].raw_data}


class NotesForm(BaseForm):
    """What operators want each other to know."""

    notes = TextAreaField("Notes", [Optional()], render_kw={"rows": 3, "maxlength": LONGEST_NOTES})


def times_of(row: CodeScheduleRow) -> dict[str, Any]:
    """What the form of a schedule opens with."""
    found, max_age = row.schedule, said_max_age(row.schedule)
    return {
        "clock_change": found.clock_change.value,
        "missed_limit": found.missed_limit,
        "missed_max_age_seconds": "" if max_age is None else length_words(timedelta(seconds=max_age)),
        "tags": ", ".join(found.tags),
        "cron": found.cron,
        "timezone": found.timezone,
        "missed": found.missed.value,
        "overlap": found.overlap.value,
    }
