"""The choices of a form and the rhythm's text they stand for, both ways. Pure.

A pattern names the fields that a choice leaves open. A text belongs to a choice only if the choice writes exactly that
text again: everything else is shown as it was written. The browser follows the same patterns.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.schedules.presets import PRESETS

# What a pattern's fields may hold, without a zero in front. Clock and date are written as the browser's fields do.
FIELDS = {
    "minute": r"[1-5]?\d",
    "hour": r"1?\d|2[0-3]",
    "again": r"1?\d|2[0-3]",
    "day": r"[1-9]|[12]\d|3[01]",
    "days": r"[0-6](?:,[0-6])*",
    "count": r"[1-9]\d{0,6}",
    "unit": r"minutes|hours|days|weeks",
    "from": r"\d{4}-\d\d-\d\d \d\d:\d\d",
    "at": r"\d{4}-\d\d-\d\d \d\d:\d\d",
}
PATTERNS = {
    "every_5_minutes": "*/5 * * * *",
    "every_15_minutes": "*/15 * * * *",
    "every_30_minutes": "*/30 * * * *",
    "hourly": "{minute} * * * *",
    "every_3_hours": "{minute} */3 * * *",
    "every_6_hours": "{minute} */6 * * *",
    "twice_daily": "{minute} {hour},{again} * * *",
    "daily": "{minute} {hour} * * *",
    "weekdays": "{minute} {hour} * * 1-5",
    "weekly": "{minute} {hour} * * {days}",
    "monthly": "{minute} {hour} {day} * *",
    "monthly_last_day": "{minute} {hour} L * *",
}
_SHOWN = 40
_MISTAKES = {
    "minute": "“{}” is not a minute. Use 0 to 59.",
    "hour": "“{}” is not an hour. Use 0 to 23.",
    "again": "“{}” is not an hour. Use 0 to 23.",
    "day": "Day “{}” does not exist. Use 1 to 31.",
    "days": "“{}” is not a day of the week. Choose from the list.",
    "count": "“{}” is no number of times. Use a whole number from 1 on.",
    "unit": "“{}” cannot be counted. Use minutes, hours, days or weeks.",
    "from": "“{}” is no date with a time. Write it as 2027-01-31T08:00.",
    "at": "“{}” is no date with a time. Write it as 2027-01-31T08:00.",
}
_LACKING = {
    "minute": "Enter a minute, 0 to 59.",
    "hour": "Enter an hour, 0 to 23.",
    "again": "Choose the second hour.",
    "day": "Enter a day of the month, 1 to 31.",
    "days": "Choose at least one day.",
    "count": "Enter a whole number from 1 on.",
    "unit": "Choose minutes, hours, days or weeks.",
    "from": "Enter the date and time that it counts from.",
    "at": "Enter a date and a time.",
}
INTERVAL, SINGLE = "every {count} {unit} from {from}", "at {at}"
DEFAULTS = {preset.key: preset.cron for preset in PRESETS}


@dataclass(frozen=True)
class Built:
    """A choice and what stands in its fields."""

    preset: str
    values: Mapping[str, str]


def read_built(text: str) -> Built | None:
    """The preset that writes exactly this text, with its fields; None for anything else."""
    found = ((key, values_of(pattern, text)) for key, pattern in PATTERNS.items())
    return next((Built(key, values) for key, values in found if values is not None), None)


def values_of(pattern: str, text: str) -> dict[str, str] | None:
    """What the fields of a pattern hold in a text; None where it is not exactly what they would write."""
    known = re.fullmatch(_expression(pattern), text, re.ASCII)
    if known is None:
        return None
    values = dict(known.groupdict())
    return values if write(pattern, values) == text else None


def write(pattern: str, values: Mapping[str, str]) -> str | None:
    """The text of a choice; None while one of its fields holds nothing that can be."""
    wanted = {name: _tidy(name, values.get(name, "")) for name in _names(pattern)}
    if not all(_can_be(name, value) for name, value in wanted.items()):
        return None
    if "again" in wanted:
        wanted["hour"], wanted["again"] = sorted((wanted["hour"], wanted["again"]), key=int)
    return pattern.format_map(wanted)


def mistakes(pattern: str, values: Mapping[str, str]) -> dict[str, str]:
    """What is wrong in the fields of a pattern that are given, by name: they are empty, or hold what cannot be."""
    given = {name: _tidy(name, values[name]) for name in _names(pattern) if name in values}
    return {
        name: _MISTAKES[name].format(value[:_SHOWN]) if value else _LACKING[name]
        for name, value in given.items()
        if not _can_be(name, value)
    }


def write_preset(key: str, values: Mapping[str, str]) -> str | None:
    """The text of a preset; fields that are not given are as it starts. None as in `write`."""
    return write(PATTERNS[key], {**(values_of(PATTERNS[key], DEFAULTS[key]) or {}), **values})


def _expression(pattern: str) -> str:
    parts = re.split(r"\{(\w+)\}", pattern)
    texts = [re.escape(part) if place % 2 == 0 else f"(?P<{part}>{FIELDS[part]})" for place, part in enumerate(parts)]
    # A name of a group cannot be a word of the language.
    return "".join(texts)


def _can_be(name: str, value: str) -> bool:
    if not re.fullmatch(FIELDS[name], value, re.ASCII):
        return False
    try:
        # No field of a browser shows 30 February.
        return name not in {"from", "at"} or datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def _names(pattern: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", pattern)


def _tidy(name: str, value: str) -> str:
    """As a text has it: days once and in order, numbers without zeros in front."""
    value = value.strip()
    if name == "days":
        return ",".join(sorted({day for day in value.split(",") if day}))
    return str(int(value)) if value.isascii() and value.isdigit() and len(value) < 9 else value
