"""What the form of a schedule is drawn from besides its fields: patterns of the choices, and its rules in one line."""

from collections.abc import Mapping
from dataclasses import dataclass

from wtforms import Field

from app.schedules.builder import DEFAULTS, PATTERNS
from app.schedules.clock_changes import ClockChange
from app.schedules.policies import DEFAULT_MISSED_LIMIT, Missed, Overlap
from app.web.forms.base import text_of
from app.web.forms.rhythm_fields import CUSTOM, KIND_PATTERNS, PARTS
from app.web.forms.schedule_words import clock_change_words, missed_words, overlap_words
from app.web.forms.schedules import ScheduleForm

_CRON_HELP = "Five parts, or one of @hourly, @daily, @weekly, @monthly, @yearly, @manually. H spreads the load."
# What only some of the presets ask for.
_OPTIONAL = frozenset({"minute", "time", "again", "day"})


@dataclass(frozen=True)
class Builder:
    """What choices write, what they start from, and how the folded part of the times stands."""

    chips: Mapping[str, Mapping[str, str]]
    kinds: Mapping[str, str]
    parts: Mapping[str, str]
    optional: frozenset[str]
    is_own: bool
    help: str
    bounds: str
    has_bounds: bool


@dataclass(frozen=True)
class Rules:
    """The policies in one line; open where they are not the usual ones, or where something is wrong."""

    summary: str
    is_open: bool


def builder_of(form: ScheduleForm) -> Builder:
    """The choices of the form."""
    rule = text_of(form.clock_change)
    bounds = [f"from {_day(form.starts_at)}"] if text_of(form.starts_at) else []
    bounds += [f"until {_day(form.ends_at)}"] if text_of(form.ends_at) else []
    bounds += [clock_change_words(ClockChange(rule)).partition(":")[0]] if rule in set(ClockChange) else []
    folded = (form.starts_at, form.ends_at, form.clock_change, form.has_seconds)
    is_usual = (
        not (text_of(form.starts_at) or text_of(form.ends_at) or form.has_seconds.data) and rule == ClockChange.ONCE
    )
    return Builder(
        chips={CUSTOM: {"data-cron-custom": ""}, **{key: _chip(key) for key in PATTERNS}},
        parts=PARTS,
        optional=_OPTIONAL,
        kinds=KIND_PATTERNS,
        is_own="own" in form.built_values,
        help=_CRON_HELP,
        bounds=" · ".join(bounds),
        has_bounds=not is_usual or any(field.errors for field in folded),
    )


def _chip(key: str) -> dict[str, str]:
    pattern = PATTERNS[key]
    names = [name for name in ("again", "days", "day") if f"{{{name}}}" in pattern]
    clock = ["time"] if "{hour}" in pattern else ["minute"] if "{minute}" in pattern else []
    return {"data-cron": pattern, "data-start": DEFAULTS[key], "data-needs": " ".join([*clock, *names])}


def rules_of(form: ScheduleForm) -> Rules:
    """The policies of the form."""
    overlap, missed = text_of(form.overlap), text_of(form.missed)
    words = [overlap_words(Overlap(overlap))] if overlap in set(Overlap) else []
    words += [missed_words(Missed(missed)).partition(",")[0]] if missed in set(Missed) else []
    fields = (form.overlap, form.missed, form.missed_limit, form.missed_max_age_seconds)
    is_usual = (overlap, missed, text_of(form.missed_max_age_seconds)) == (Overlap.SKIP, Missed.LATEST, "")
    is_usual = is_usual and form.missed_limit.data in (None, DEFAULT_MISSED_LIMIT)
    return Rules(" · ".join(words), is_open=not is_usual or any(field.errors for field in fields))


def _day(field: Field) -> str:
    return text_of(field).partition("T")[0]
