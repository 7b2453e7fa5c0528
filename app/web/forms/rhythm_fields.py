"""The fields that say when a schedule runs. Its text is the only truth: the others are read from it, or write it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.core.errors import AppError, Invalid
from app.schedules.acceptance import TimesInvalid
from app.schedules.builder import (
    DEFAULTS,
    INTERVAL,
    PATTERNS,
    SINGLE,
    mistakes,
    read_built,
    values_of,
    write,
    write_preset,
)
from app.schedules.clock_changes import ClockChange
from app.schedules.cron_fields import CronInvalid
from app.schedules.presets import PRESETS
from app.schedules.queries import ScheduleRow
from app.schedules.rhythm_text import Kind, clean_text
from app.schedules.zones import COMMON_ZONES, all_zone_names, find_zone
from app.web.forms.base import BaseForm, text_of
from app.web.forms.schedule_words import CLOCK_CHANGE_WORDS

CUSTOM = "custom"
DEFAULT_CRON = DEFAULTS["daily"]
LONGEST_SPREAD_KEY = 64
_DAYS = {"1": "Mon", "2": "Tue", "3": "Wed", "4": "Thu", "5": "Fri", "6": "Sat", "0": "Sun"}
KIND_PATTERNS = {Kind.INTERVAL.value: INTERVAL, Kind.SINGLE.value: SINGLE}
_UNBEGUN = INTERVAL.partition(" from")[0]
_LOCAL = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_BOUND = {"type": "datetime-local", "min": "2000-01-01T00:00", "max": "2199-12-31T23:59"}
# Which field shows which part of a pattern; the hour and its minute share one.
PARTS = {
    "minute": "minute", "time": "time", "again": "again", "day": "day", "count": "count", "unit": "unit",
    "from": "counted_from", "at": "at",
}  # fmt: skip


class SaidWhen(NamedTuple):
    """All that decides when it runs, as the form says it."""

    cron: str
    timezone: str
    spread_key: str
    clock_change: ClockChange
    has_seconds: bool
    starts_at: datetime | None
    ends_at: datetime | None


class RhythmFields(BaseForm):
    """When it runs: a text, the choices that write it, the clocks it is read on, and its bounds."""

    kind = RadioField(
        "How does it repeat?",
        choices={Kind.CRON.value: "Repeats", Kind.INTERVAL.value: "Every …", Kind.SINGLE.value: "Once"},
        validate_choice=False,
    )
    preset = RadioField(
        "When should it run?",
        choices={**{preset.key: preset.label for preset in PRESETS}, CUSTOM: "Custom"},
        validate_choice=False,
    )
    minute = StringField("Minute", [Optional()], render_kw={"type": "number", "min": 0, "max": 59})
    time = StringField("Time", [Optional()], render_kw={"type": "time"})
    again = SelectField(
        "And again at the hour", choices={str(hour): f"{hour:02}" for hour in range(24)}, validate_choice=False
    )
    days = SelectMultipleField(
        "On", choices=_DAYS, validate_choice=False, option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False)
    )
    day = StringField("Day of the month", [Optional()], render_kw={"type": "number", "min": 1, "max": 31})
    count = StringField("Every", [Optional()], render_kw={"type": "number", "min": 1})
    unit = SelectField(
        "Of", choices={unit: unit for unit in ("minutes", "hours", "days", "weeks")}, validate_choice=False
    )
    counted_from = StringField("Counted from", [Optional()], render_kw={"type": "datetime-local"})
    at = StringField("At", [Optional()], render_kw={"type": "datetime-local"})
    cron = TextAreaField("Cron text", [InputRequired("Choose when it should run.")], render_kw={"rows": 1})
    cron_was = HiddenField()
    replaced = HiddenField()
    has_seconds = BooleanField("Allow seconds: a sixth field, in front")
    timezone = SelectField("Time zone", [InputRequired("Choose a time zone.")], choices={}, validate_choice=False)
    timezone_was = HiddenField()
    clock_change = RadioField(
        "When the clocks change", choices={key.value: text for key, text in CLOCK_CHANGE_WORDS.items()}
    )
    starts_at = StringField("Not before", [Optional()], render_kw=_BOUND)
    ends_at = StringField("Not after", [Optional()], render_kw=_BOUND)
    spread_key = HiddenField()
    # What of the choices' fields the text itself says, as the browser shows it.
    built_values: dict[str, str]
    # Whether no choice writes exactly this text, so that a press on one takes it away.
    is_custom: bool
    # What is wrong in the fields of the choice that was pressed, so that it writes no text.
    mistaken: dict[str, str]
    # The line and the cell of the text that are to blame for what is wrong with it, such as "1 minute".
    blamed = ""

    def settle(self) -> None:
        """Have the text and the choices say the same, from here on."""
        typed, self.mistaken = clean_text(text_of(self.cron)), {}
        pressed = self.kind.data, self.preset.data
        chosen = self._chosen_text(typed)
        if chosen != typed and not self.replaced.data and _is_custom(typed):
            self.replaced.data = typed
        self.cron.data = self.cron_was.data = chosen
        # Kept over a refused save, so that the preview still says what the move of the zone does.
        self.timezone_was.data = text_of(self.timezone_was) or text_of(self.timezone)
        self.timezone.choices = _zone_choices(text_of(self.timezone))
        if not self.clock_change.raw_data and not self.clock_change.data:
            self.clock_change.data = ClockChange.ONCE.value
        self.kind.data = kind_of(chosen)
        self._fill(chosen)
        if self.mistaken:
            # The choice stays pressed, and what stands in its fields stays there to be mended.
            self.kind.data, self.preset.data = pressed

    def show_error(self, error: AppError) -> None:
        """Put a refused command's message at its field, and remember the cell that it is about."""
        if isinstance(error, CronInvalid) and error.cell:
            self.blamed = f"{error.line} {error.cell}"
        super().show_error(error)

    def says_when(self, before: ScheduleRow | None = None) -> SaidWhen:
        """What the fields say. Raises TimesInvalid for a start, an end or a choice that cannot be read."""
        for name, message in self.mistaken.items():
            raise TimesInvalid(message, field=name)
        return SaidWhen(
            cron=text_of(self.cron),
            timezone=text_of(self.timezone),
            spread_key=before.spread_key if before else self._spread_key(),
            clock_change=self._clock_change(before),
            has_seconds=bool(self.has_seconds.data),
            starts_at=self._bound("starts_at", before),
            ends_at=self._bound("ends_at", before),
        )

    def _spread_key(self) -> str:
        # Nobody sees this field, so what only a database would refuse is left out of it.
        return "".join(letter for letter in text_of(self.spread_key) if letter.isprintable())[:LONGEST_SPREAD_KEY]

    def _clock_change(self, before: ScheduleRow | None) -> ClockChange:
        if before is not None and not self.clock_change.raw_data:
            return before.clock_change
        said = text_of(self.clock_change)
        return ClockChange(said) if said in set(ClockChange) else ClockChange.ONCE

    def _bound(self, name: str, before: ScheduleRow | None) -> datetime | None:
        typed = text_of(self[name]).strip()
        kept: datetime | None = getattr(before, name) if before else None
        # What is shown has no seconds, and which of two equal times was meant is not seen either.
        zone = text_of(self.timezone)
        if before is not None and zone == before.timezone and typed == local_text(kept, zone):
            return kept
        return _moment(typed, zone, name) if typed else None

    def _chosen_text(self, typed: str) -> str:
        """The text, unless it is still as it was shown and the choices beside it mean something else."""
        if typed != clean_text(text_of(self.cron_was)) or not self.preset.raw_data:
            return typed
        kind = text_of(self.kind) if text_of(self.kind) in set(Kind) else kind_of(typed)
        if kind in KIND_PATTERNS:
            return self._other_kind(kind, typed)
        pressed = text_of(self.preset)
        if pressed not in PATTERNS:
            return typed if kind_of(typed) == kind else DEFAULT_CRON
        known = read_built(typed)
        stored = known.values if known is not None and known.preset == pressed else {}
        values = {**stored, **self._sent(PATTERNS[pressed])}
        return typed if self._is_mistaken(PATTERNS[pressed], values) else write_preset(pressed, values) or typed

    def _is_mistaken(self, pattern: str, values: Mapping[str, str]) -> bool:
        """Whether a field of the choice holds nothing, or what cannot be. Then it is said, and nothing is put there."""
        clock = {"hour", "minute"} if "{hour}" in pattern else set()
        for part, message in mistakes(pattern, values).items():
            if part not in clock:
                self.mistaken[PARTS.get(part, part)] = message
            elif time := text_of(self.time).strip():
                self.mistaken["time"] = f"There is no time “{time[:40]}”. Use 00:00 to 23:59."
            else:
                self.mistaken["time"] = "Enter a time, 00:00 to 23:59."
        return bool(self.mistaken)

    def _other_kind(self, kind: str, typed: str) -> str:
        """The text of an interval or a single time, of which every field is needed."""
        sent = {"count": "", "unit": "", "at": "", **self._sent(KIND_PATTERNS[kind])}
        # The command adds today to an interval of which no beginning is asked for.
        pattern = _UNBEGUN if kind == Kind.INTERVAL and "from" not in sent else KIND_PATTERNS[kind]
        return typed if self._is_mistaken(pattern, sent) else write(pattern, sent) or typed

    def _sent(self, pattern: str) -> dict[str, str]:
        """What stands in the fields of the choices, by the pattern's names for them; nothing of what did not arrive."""
        sent = {part: text_of(self[field]) for part, field in PARTS.items() if self[field].raw_data}
        if "{hour}" in pattern:
            sent.pop("minute", None)
            if (time := sent.pop("time", None)) is not None:
                sent["hour"], _, sent["minute"] = time.partition(":")
        if self.time.raw_data or self.days.raw_data:
            # Boxes that nobody ticked are not sent; with the time beside them they were there.
            sent["days"] = ",".join(self.days.data or [])
        return sent | {part: _spaced(sent[part]) for part in ("from", "at") if part in sent}

    def _fill(self, text: str) -> None:
        """The choices that write exactly this text, and beside them what a press on another one starts from."""
        built = read_built(text)
        self.preset.data = CUSTOM if built is None else built.preset
        self.is_custom = _is_custom(text)
        known = dict(built.values) if built else values_of(INTERVAL, text) or values_of(SINGLE, text) or {}
        self.built_values = _shown(known)
        if built is not None and text != DEFAULTS[built.preset]:
            # What somebody set stays set where the next choice has room for it.
            self.built_values["own"] = "yes"
        shown = _STARTS | self.built_values
        for part, field in PARTS.items():
            # Beside a mistake, too, what was typed stays.
            if not self.mistaken:
                self[field].data = shown.get(part, "")
        if not self.mistaken:
            self.days.data = shown["days"].split(",")

    def suggest(self, now: datetime) -> None:
        """A single time tomorrow and an interval from this hour on, where the text says neither."""
        try:
            wall = now.astimezone(find_zone(text_of(self.timezone)).tzinfo)
        except Invalid:
            wall = now
        for field, at in ((self.counted_from, wall), (self.at, wall + timedelta(days=1))):
            if field.name not in self.mistaken:
                field.data = text_of(field) or f"{at:%Y-%m-%dT%H}:00"


def _shown(known: Mapping[str, str]) -> dict[str, str]:
    """What a text holds as the browser's fields show it: one field for the time of day, and a T before times."""
    shown = {name: value.replace(" ", "T") for name, value in known.items() if name != "hour"}
    if "hour" in known:
        shown["time"] = f"{int(known['hour']):02}:{int(shown.pop('minute')):02}"
    return shown


# What the fields hold where the text says nothing of them, as the browser shows it.
_STARTS = {
    "minute": "0", "time": "06:00", "again": "18", "days": "1", "day": "1", "count": "90", "unit": "minutes",
}  # fmt: skip


def kind_of(text: str) -> str:
    """The kind of choices that write exactly this text. What none of them writes is custom, among cron lines."""
    found = (kind for kind, pattern in KIND_PATTERNS.items() if values_of(pattern, text) is not None)
    return next(found, Kind.CRON.value)


def _is_custom(text: str) -> bool:
    return read_built(text) is None and kind_of(text) == Kind.CRON


def local_text(at: datetime | None, timezone: str) -> str:
    """An instant as the browser's field of date and time shows it, on the clocks of a zone."""
    if at is None:
        return ""
    try:
        return at.astimezone(find_zone(timezone).tzinfo).strftime(_LOCAL[0])
    except Invalid:
        return at.astimezone(UTC).strftime(_LOCAL[0])


def _moment(text: str, timezone: str, name: str) -> datetime:
    zone: ZoneInfo = find_zone(timezone).tzinfo
    for shape in _LOCAL:
        try:
            return datetime.strptime(text, shape).replace(tzinfo=zone)
        except ValueError:
            continue
    raise TimesInvalid(f"“{text[:40]}” is no date with a time. Write it as 2027-01-31T08:00.", field=name)


def _spaced(text: str) -> str:
    return text.replace("T", " ", 1)[: len("2027-01-31 08:00")]


def _zone_choices(chosen: str) -> dict[str, dict[str, str]]:
    """The common zones, then all others; one that is in neither list stays on offer until somebody changes it."""
    known = all_zone_names()
    groups = {"Common": COMMON_ZONES, "All": tuple(name for name in known if name not in COMMON_ZONES)}
    if chosen and len(chosen) <= LONGEST_SPREAD_KEY and chosen not in known and chosen not in COMMON_ZONES:
        groups = {"Now": (chosen,), **groups}
    return {label: {name: name.replace("_", " ") for name in names} for label, names in groups.items()}
