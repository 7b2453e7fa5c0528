"""From a cron text to an expression to compute with, or to a plain message. When it fires is fire_times.py."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from croniter import croniter

from app.schedules.cron_fields import (
    DAY,
    FIELDS,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    WEEKDAY,
    CronInvalid,
    Field,
    normalise_field,
)
from app.schedules.month_days import LAST, LONGEST, DayRule, DayTable, make_table, shapes_of_month

__all__ = ["LONGEST_TEXT", "CronExpression", "CronInvalid", "parse_cron"]

LONGEST_TEXT = 100
MANUALLY = "@manually"
_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_NO_DAYS = DayRule(frozenset(), False, None, frozenset(), frozenset(), joins_with_or=False)


@dataclass(frozen=True)
class CronExpression:
    """A cron line that was understood. Equal when text and canonical form are; the rest follows from them."""

    text: str  # as typed, without the spaces around it
    canonical: str  # five fields in numbers, H worked out, with the seconds first unless they are 0; or @manually
    minutes: tuple[int, ...] = field(compare=False, repr=False)
    hours: tuple[int, ...] = field(compare=False, repr=False)
    months: tuple[int, ...] = field(compare=False, repr=False)
    days: DayRule = field(compare=False, repr=False)
    table: DayTable = field(compare=False, repr=False)
    seconds: tuple[int, ...] = field(default=(0,), compare=False, repr=False)

    @property
    def is_manual(self) -> bool:
        """Whether it never fires by itself."""
        return self.canonical == MANUALLY

    @property
    def is_fixed(self) -> bool:
        """Whether cron takes it as fixed in time: neither minute nor hour begins with a star."""
        return not any(text.startswith("*") for text in self.fields[:2])

    @property
    def fields(self) -> list[str]:
        """The five fields of the canonical form, minute first."""
        return self.canonical.split()[-len(FIELDS) :]

    @property
    def lines(self) -> tuple["CronExpression", ...]:
        """Itself: a rhythm may have several lines."""
        return (self,)


def parse_cron(text: str, *, spread_key: str = "", has_seconds: bool = False) -> CronExpression:
    """Understand a cron line. Raises CronInvalid with the message for the person who typed it.

    `spread_key` decides what H stands for. With `has_seconds` there may be a sixth field, which comes first. The bounds
    come before all else, so that no input is expensive.
    """
    if len(text) > LONGEST_TEXT:
        raise CronInvalid(f"A cron line has at most {LONGEST_TEXT} characters. This has {len(text):,}.")
    typed = text.strip()
    # Asked of the whole text first: the planner asks ten thousand times in a busy second.
    is_plain = typed.isascii() and typed.isprintable()
    strange = None if is_plain else next((char for char in typed if not _is_plain(char)), None)
    if strange is not None:
        shown = f"“{strange}”" if strange.isprintable() else f"U+{ord(strange):04X}"
        raise CronInvalid(f"A cron line has plain ASCII characters only. Replace {shown}.")
    # Without H the key changes nothing, and schedules with the same text can share what was parsed.
    return _parse(typed, spread_key if "H" in typed.upper() else "", has_seconds)


def _is_plain(char: str) -> bool:
    return char.isascii() and (char.isprintable() or char == "\t")


@lru_cache(maxsize=4096)
def _parse(typed: str, spread_key: str, has_seconds: bool) -> CronExpression:
    if typed.startswith("@"):
        line = _resolve_alias(typed)
        if line == MANUALLY:
            return CronExpression(typed, MANUALLY, (), (), (), _NO_DAYS, make_table(_NO_DAYS))
    else:
        line = typed
    texts = line.split()
    _check_field_count(len(texts), has_seconds)
    second = texts.pop(0) if len(texts) > len(FIELDS) else "0"
    seconds = _read_seconds(normalise_field(SECOND, second, spread_key=spread_key))
    pairs = zip(FIELDS, texts, strict=True)
    canonical = " ".join(normalise_field(place, text, spread_key=spread_key) for place, text in pairs)
    expression = _expand(typed, canonical, seconds)
    _check_that_it_happens(expression)
    return expression


def _resolve_alias(typed: str) -> str:
    name = typed.lower()
    if name == MANUALLY:
        return MANUALLY
    if name == "@reboot":
        raise CronInvalid("@reboot is not supported: a restart must not start jobs. Use times, or @manually.")
    if name not in _ALIASES:
        known = "@hourly, @daily, @weekly, @monthly, @yearly or @manually"
        raise CronInvalid(f"{typed} is not known. Use {known}, or five fields.")
    return _ALIASES[name]


def _check_field_count(count: int, has_seconds: bool) -> None:
    if count == len(FIELDS) or (has_seconds and count == len(FIELDS) + 1):
        return
    if has_seconds:
        known = "5 fields, or 6 with seconds first: second minute hour day month weekday"
        raise CronInvalid(f"A cron line has {known}. This has {count}.")
    if count == 6:
        words = "Seconds are not supported. Remove the first field. Or allow seconds for this schedule."
        raise CronInvalid(words, cell=SECOND.noun)
    if count == 7:
        years = "Years are not supported either: remove the last one too."
        raise CronInvalid(f"Seconds are not supported. Remove the first field. {years}", cell=SECOND.noun)
    raise CronInvalid(f"A cron line has 5 fields: minute hour day month weekday. This has {count}.")


def _read_seconds(text: str) -> tuple[int, ...]:
    # croniter puts seconds last and counts them as it counts minutes, so it is asked about them as minutes.
    return _numbers(croniter.expand(f"{text} * * * *")[0][0], SECOND)


def _expand(typed: str, canonical: str, seconds: tuple[int, ...]) -> CronExpression:
    try:
        values, nth_weekdays = croniter.expand(canonical)
    except ValueError as error:
        raise CronInvalid("This cron line cannot be read. Compare it with an example such as 0 9 * * 1-5.") from error
    day, weekday = canonical.split()[2], canonical.split()[4]
    nearest = re.fullmatch(r"(\d+)W", day)
    rule = DayRule(
        days=frozenset() if nearest else frozenset(_numbers(values[2], DAY)),
        is_last_day="l" in values[2],
        nearest_weekday_to=int(nearest[1]) if nearest else None,
        weekdays=frozenset(() if nth_weekdays else _numbers(values[4], WEEKDAY)),
        nth_weekdays=frozenset(
            (int(of), LAST if nth == "l" else int(nth)) for of, found in nth_weekdays.items() for nth in found
        ),
        joins_with_or=not day.startswith("*") and not weekday.startswith("*"),
    )
    return CronExpression(
        text=typed,
        canonical=canonical if seconds == (0,) else f"{_listed(seconds)} {canonical}",
        minutes=_numbers(values[0], MINUTE),
        hours=_numbers(values[1], HOUR),
        months=_numbers(values[3], MONTH),
        days=rule,
        table=make_table(rule),
        seconds=seconds,
    )


def _listed(values: tuple[int, ...]) -> str:
    return ",".join(map(str, values))


def _numbers(values: list[int | str], place: Field) -> tuple[int, ...]:
    if values == ["*"]:
        return tuple(range(place.low, place.top + 1))
    return tuple(sorted(value for value in values if isinstance(value, int)))


def _check_that_it_happens(expression: CronExpression) -> None:
    """Refuse what no calendar contains. A month has few shapes, so this is certain and takes microseconds."""
    for month in expression.months:
        if any(expression.table.in_shape(length, first) for length, first in shapes_of_month(month)):
            return
    rule = expression.days
    days = sorted(rule.days | ({rule.nearest_weekday_to} if rule.nearest_weekday_to else set()))
    if days and days[0] > max(LONGEST[month - 1] for month in expression.months):
        names = [_MONTH_NAMES[month - 1] for month in expression.months]
        verb = "has" if len(names) == 1 else "have"
        listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        words = f"This never happens: {listed} {verb} no day {' or '.join(map(str, days))}."
        raise CronInvalid(words, cell=DAY.noun)
    words = "This never happens: no date fits both the day and the weekday. Change one of the two."
    raise CronInvalid(words, cell=DAY.noun)
