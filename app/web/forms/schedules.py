"""The form of a schedule: what a browser sends, read into a draft. What is acceptable, the command decides."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from wtforms import (
    BooleanField,
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
from app.schedules.presets import PRESETS, preset_for
from app.schedules.queries import ScheduleRow
from app.schedules.service import LONGEST_NAME, ScheduleDraft
from app.schedules.zones import COMMON_ZONES, all_zone_names
from app.web.forms.base import BaseForm, text_of
from app.web.forms.job_policies import WholeNumberField

CUSTOM = "custom"
DEFAULT_CRON = "0 6 * * *"
PRESET_CRONS = {preset.key: preset.cron for preset in PRESETS}
LONGEST_SPREAD_KEY = 64

_OVERLAP_WORDS = {
    Overlap.SKIP: "Skip the new one (recommended; it stays visible as Skipped)",
    Overlap.QUEUE_ONE: "Let one wait, and skip what comes after that one",
    Overlap.ALLOW: "Run both at once (only if the job is safe in parallel)",
    Overlap.CANCEL_PREVIOUS: "Stop the previous one, and run the new one instead",
}
_MISSED_WORDS = {
    Missed.LATEST: "Run once when it is back, for the latest time it missed",
    Missed.SKIP: "Skip what it missed, and go on with the next time",
    Missed.ALL: "Run once for each time it missed, up to the number below",
}


class ScheduleForm(BaseForm):
    """When a job runs. The cron text is the only truth; the preset chips are derived from it."""

    name = StringField(
        "Name",
        [InputRequired("Give the schedule a name.")],
        render_kw={"maxlength": LONGEST_NAME, "autocomplete": "off"},
    )
    job_id = SelectField("Job", [InputRequired("Choose a job.")], choices={}, validate_choice=False)
    preset = RadioField(
        "When should it run?",
        choices={**{preset.key: preset.label for preset in PRESETS}, CUSTOM: "Custom"},
        validate_choice=False,
    )
    cron = StringField("Cron text", [InputRequired("Choose when it should run.")])
    cron_was = HiddenField()
    timezone_was = HiddenField()
    timezone = SelectField("Time zone", [InputRequired("Choose a time zone.")], choices={}, validate_choice=False)
    overlap = RadioField(
        "If the previous run is still going", choices={key.value: text for key, text in _OVERLAP_WORDS.items()}
    )
    missed = RadioField(
        "If Belfry was off at that time", choices={key.value: text for key, text in _MISSED_WORDS.items()}
    )
    missed_limit = WholeNumberField("At most so many of them", [Optional()], render_kw={"min": 1, "max": MOST_MADE_UP})
    missed_max_age_seconds = StringField("None that is older than", [Optional()], render_kw={"autocomplete": "off"})
    notes = TextAreaField("Notes", [Optional()], render_kw={"rows": 2, "maxlength": LONGEST_NOTES})
    missed_while_paused = RadioField("What it missed meanwhile, when it is enabled", choices={}, validate_choice=False)
    enabled = BooleanField("Enabled")
    spread_key = HiddenField()
    version = HiddenField()
    preview = SubmitField("Show next runs")

    def __init__(self, *, jobs: Iterable[JobRow], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data=dict(data or {}))
        # Without a script a chip is pressed and the text stays; from here on both say the same.
        self.cron.data = self._chosen_cron()
        self.cron_was.data = self.cron.data
        # Kept over a refused save, so that the preview still says what the move of the zone does.
        self.timezone_was.data = text_of(self.timezone_was) or text_of(self.timezone)
        found = preset_for(self.cron.data)
        self.preset.data = CUSTOM if found is None else found.key
        self.job_id.choices = {"": "Choose a job", **{str(job.id): job.name for job in jobs}}
        self.timezone.choices = _zone_choices(text_of(self.timezone))

    def validate_job_id(self, field: SelectField) -> None:
        try:
            UUID(text_of(field))
        except ValueError as error:
            raise ValidationError("Choose a job from the list.") from error

    def show_error(self, error: AppError) -> None:
        """Put a refused command's message at its field."""
        if isinstance(error, JobNotFound):
            self._show("job_id", error.message)
        else:
            super().show_error(error)

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
            name=text_of(self.name),
            job_id=UUID(text_of(self.job_id)),
            cron=text_of(self.cron),
            timezone=text_of(self.timezone),
            spread_key=before.spread_key if before else text_of(self.spread_key)[:LONGEST_SPREAD_KEY],
            enabled=bool(self.enabled.data),
            overlap=Overlap(text_of(self.overlap)),
            missed=Missed(text_of(self.missed)),
            missed_max_age_seconds=self._max_age(before),
            missed_limit=self._limit(before),
            # A form from before there were notes does not take them away.
            notes=before.notes if before and not self.notes.raw_data else text_of(self.notes),
            # What the form does not ask about stays as it is.
            has_seconds=before is not None and before.has_seconds,
            clock_change=before.clock_change if before else ClockChange.ONCE,
            starts_at=before.starts_at if before else None,
            ends_at=before.ends_at if before else None,
            tags=before.tags if before else (),
        )

    def _max_age(self, before: ScheduleRow | None) -> int | None:
        if before is not None and not self.missed_max_age_seconds.raw_data:
            return said_max_age(before)
        typed = text_of(self.missed_max_age_seconds).strip()
        return read_length(typed) if typed else None

    def _limit(self, before: ScheduleRow | None) -> int:
        if self.missed_limit.data is not None:
            return int(self.missed_limit.data)
        return before.missed_limit if before else DEFAULT_MISSED_LIMIT

    def _chosen_cron(self) -> str:
        """The text, unless it is still as it was shown and a chip that means something else was pressed."""
        typed, pressed = text_of(self.cron), text_of(self.preset)
        if pressed not in PRESET_CRONS or typed != text_of(self.cron_was):
            return typed
        meant = preset_for(typed)
        return typed if meant is not None and meant.key == pressed else PRESET_CRONS[pressed]


def fresh_values(*, timezone: str, job_id: str) -> dict[str, Any]:
    """What the form of a new schedule opens with. The spread key is made here, so that preview and planner agree."""
    return {
        "job_id": job_id,
        "cron": DEFAULT_CRON,
        "timezone": timezone,
        "overlap": Overlap.SKIP.value,
        "missed": Missed.LATEST.value,
        "missed_limit": DEFAULT_MISSED_LIMIT,
        "enabled": True,
        "spread_key": new_id().hex,
    }


def stored_values(schedule: ScheduleRow) -> dict[str, Any]:
    """What the form of an existing schedule opens with."""
    max_age = said_max_age(schedule)
    return {
        "name": schedule.name,
        "job_id": str(schedule.job_id),
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "overlap": schedule.overlap.value,
        "missed": schedule.missed.value,
        "missed_limit": schedule.missed_limit,
        "missed_max_age_seconds": "" if max_age is None else length_words(timedelta(seconds=max_age)),
        "notes": schedule.notes,
        "enabled": schedule.enabled,
        "spread_key": schedule.spread_key,
        "version": schedule.version,
    }


def overlap_words(overlap: Overlap) -> str:
    """A policy as the form says it, without the advice."""
    return _OVERLAP_WORDS[overlap].partition(" (")[0]


def missed_words(missed: Missed) -> str:
    """A policy as the form says it."""
    return _MISSED_WORDS[missed]


def _zone_choices(chosen: str) -> dict[str, dict[str, str]]:
    """The common zones, then all others; one that is in neither list stays on offer until somebody changes it."""
    known = all_zone_names()
    groups = {"Common": COMMON_ZONES, "All": tuple(name for name in known if name not in COMMON_ZONES)}
    if chosen and len(chosen) <= LONGEST_SPREAD_KEY and chosen not in known and chosen not in COMMON_ZONES:
        groups = {"Now": (chosen,), **groups}
    return {label: {name: name.replace("_", " ") for name in names} for label, names in groups.items()}


class ResumeForm(BaseForm):
    """What becomes of the slots that a schedule missed while it was off, asked before it is switched on."""

    missed = RadioField("What is to become of them?", choices={}, validate_choice=False)
