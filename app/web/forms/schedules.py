"""The form of a schedule: what a browser sends, read into a draft. What is acceptable, the command decides."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Optional

from app.core.errors import AppError
from app.core.ids import new_id
from app.jobs.queries import JobNotFound, JobRow
from app.schedules.clock_changes import ClockChange
from app.schedules.drafts import said_max_age
from app.schedules.policies import DEFAULT_MISSED_LIMIT, MOST_MADE_UP, Missed, Overlap
from app.schedules.policy_fields import LONGEST_NOTES, length_words, read_length
from app.schedules.queries import ScheduleRow
from app.schedules.service import LONGEST_NAME, ScheduleDraft
from app.schedules.tags import read_tags
from app.tenants.roster import MemberRow
from app.web.forms.base import BaseForm, text_of
from app.web.forms.job_policies import WholeNumberField
from app.web.forms.rhythm_fields import DEFAULT_CRON, RhythmFields, local_text
from app.web.forms.schedule_words import MISSED_WORDS, OVERLAP_WORDS


class ScheduleForm(RhythmFields):
    """What runs, when, and by which rules."""

    name = StringField(
        "Name",
        [InputRequired("Give the schedule a name.")],
        render_kw={"maxlength": LONGEST_NAME, "autocomplete": "off"},
    )
    job_id = SelectField("Job", [InputRequired("Choose a job.")], choices={}, validate_choice=False)
    tags = StringField("Tags", [Optional()], render_kw={"autocomplete": "off"})
    owner = SelectField("Owner", [Optional()], choices={}, validate_choice=False)
    # Whose it was when the form was opened: only another choice than that gives it away.
    owner_was = HiddenField()
    overlap = RadioField(
        "If the previous run is still going", choices={key.value: text for key, text in OVERLAP_WORDS.items()}
    )
    missed = RadioField(
        "If Belfry was off at that time", choices={key.value: text for key, text in MISSED_WORDS.items()}
    )
    missed_limit = WholeNumberField("At most so many of them", [Optional()], render_kw={"min": 1, "max": MOST_MADE_UP})
    missed_max_age_seconds = StringField("None that is older than", [Optional()], render_kw={"autocomplete": "off"})
    # The page of a schedule has parts called notes and missed, and the dialog opens on it.
    notes = TextAreaField("Notes", [Optional()], id="schedule-notes", render_kw={"rows": 2, "maxlength": LONGEST_NOTES})
    missed_while_paused = RadioField("What it missed meanwhile, when it is enabled", choices={}, validate_choice=False)
    enabled = BooleanField("Enabled")
    more = BooleanField("Show 20")
    schedule_id = HiddenField()
    version = HiddenField()
    preview = SubmitField("Check schedule")

    def __init__(
        self, *, jobs: Iterable[JobRow], members: Iterable[MemberRow] = (), data: Mapping[str, Any] | None = None,
        typed: MultiDict[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Filled by what was sent or else by the data; `typed` is what stands in a form that is not sent."""
        if typed is None:
            super().__init__(data=dict(data or {}))
        else:
            super().__init__(formdata=typed, meta={"csrf": False})
        self.is_sent = typed is not None or self.is_submitted()
        self.settle()
        self.job_id.choices = {"": "Choose a job", **{str(job.id): job.name for job in jobs}}
        self._members = {str(one.user_id): f"{one.name} ({one.email})" for one in members}
        self.owner.choices = {"": "Nobody", **self._members}

    def validate_job_id(self, field: SelectField) -> None:
        try:
            UUID(text_of(field))
        except ValueError as error:
            raise ValidationError("Choose a job from the list.") from error

    def validate_owner(self, field: SelectField) -> None:
        if field.raw_data and text_of(field) not in self._members:
            raise ValidationError("Choose a member of the organization, or nobody.")

    @property
    def asks_for_owner(self) -> bool:
        """Whether there is anybody else whose it could be."""
        was_asked = bool(self.owner.raw_data) if self.is_sent else text_of(self.owner) not in self._members
        return len(self._members) > 1 or was_asked

    @property
    def gives_away(self) -> bool:
        """Whether another owner was chosen than the form was opened with."""
        return bool(self.owner.raw_data) and text_of(self.owner) != text_of(self.owner_was)

    @property
    def chosen_owner(self) -> UUID | None:
        """Whose it is to be. To be asked for when the form is valid."""
        return _id_of(self.owner)

    @property
    def seen_owner(self) -> UUID | None:
        """Whose it was when the form was opened."""
        return _id_of(self.owner_was)

    def show_error(self, error: AppError) -> None:
        """Put a refused command's message at its field."""
        if isinstance(error, JobNotFound):
            self._show("job_id", error.message)
        else:
            super().show_error(error)

    def show_mistake(self, error: AppError) -> None:
        """The same for a field of which nothing is said yet."""
        name = getattr(error, "field", None)
        if name is None or name not in self or not self[name].errors:
            self.show_error(error)

    def offer(self, choices: Mapping[str, str]) -> None:
        """Ask what becomes of the slots missed while it was off; what nobody chose is left alone."""
        self.missed_while_paused.choices = dict(choices)
        if self.missed_while_paused.data not in choices:
            self.missed_while_paused.data = Missed.SKIP.value

    @property
    def wanted_of_missed(self) -> Missed:
        """What becomes of the slots missed while it was off."""
        text = text_of(self.missed_while_paused)
        return Missed(text) if text in set(Missed) else Missed.SKIP

    @property
    def seen_version(self) -> int:
        """The version the person saw; 0, which no schedule has, when that cannot be read."""
        text = text_of(self.version)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    def draft(self, before: ScheduleRow | None = None) -> ScheduleDraft:
        """What the person says about the schedule. To be asked for when the form is valid."""
        return ScheduleDraft(
            **self.says_when(before)._asdict(),
            name=text_of(self.name),
            job_id=UUID(text_of(self.job_id)),
            enabled=bool(self.enabled.data),
            overlap=Overlap(text_of(self.overlap)),
            missed=Missed(text_of(self.missed)),
            missed_max_age_seconds=self.max_age(before),
            missed_limit=self.limit(before),
            # A form from before there were notes does not take them away.
            notes=before.notes if before and not self.notes.raw_data else text_of(self.notes),
            tags=before.tags if before and not self.tags.raw_data else read_tags(text_of(self.tags)),
        )

    def max_age(self, before: ScheduleRow | None) -> int | None:
        """The maximum age in seconds, or None for the usual one. Raises PolicyInvalid."""
        if before is not None and not self.missed_max_age_seconds.raw_data:
            return said_max_age(before)
        typed = text_of(self.missed_max_age_seconds).strip()
        return read_length(typed) if typed else None

    def limit(self, before: ScheduleRow | None) -> int:
        """How many missed slots run at most."""
        if self.missed_limit.data is not None:
            return int(self.missed_limit.data)
        return before.missed_limit if before else DEFAULT_MISSED_LIMIT


def fresh_values(*, timezone: str, job_id: str, owner_id: UUID | None) -> dict[str, Any]:
    """What the form of a new schedule opens with. The spread key is made here, so that preview and planner agree."""
    return {
        "job_id": job_id,
        "cron": DEFAULT_CRON,
        "timezone": timezone,
        "clock_change": ClockChange.ONCE.value,
        "overlap": Overlap.SKIP.value,
        "missed": Missed.LATEST.value,
        "missed_limit": DEFAULT_MISSED_LIMIT,
        "enabled": True,
        **_owner_values(owner_id),
        "spread_key": new_id().hex,
    }


def _owner_values(owner_id: UUID | None) -> dict[str, str]:
    text = "" if owner_id is None else str(owner_id)
    return {"owner": text, "owner_was": text}


def stored_values(schedule: ScheduleRow) -> dict[str, Any]:
    """What the form of an existing schedule opens with."""
    max_age = said_max_age(schedule)
    return {
        "name": schedule.name,
        "job_id": str(schedule.job_id),
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "has_seconds": schedule.has_seconds,
        "clock_change": schedule.clock_change.value,
        "starts_at": local_text(schedule.starts_at, schedule.timezone),
        "ends_at": local_text(schedule.ends_at, schedule.timezone),
        "overlap": schedule.overlap.value,
        "missed": schedule.missed.value,
        "missed_limit": schedule.missed_limit,
        "missed_max_age_seconds": "" if max_age is None else length_words(timedelta(seconds=max_age)),
        "tags": ", ".join(schedule.tags),
        "notes": schedule.notes,
        **_owner_values(schedule.owner_id),
        "enabled": schedule.enabled,
        "spread_key": schedule.spread_key,
        "schedule_id": str(schedule.id),
        "version": schedule.version,
    }


def _id_of(field: Field) -> UUID | None:
    with suppress(ValueError):
        return UUID(text_of(field))
    return None


class ResumeForm(BaseForm):
    """What becomes of the slots that a schedule missed while it was off, asked before it is switched on."""

    missed = RadioField("What is to become of them?", choices={}, validate_choice=False)
