"""From the text of a rhythm to what it names: cron lines, one interval, or single times; or to a plain message.

The text is the only truth about when a schedule fires. It is read here and never rewritten.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from app.schedules.cron import LONGEST_TEXT as LONGEST_LINE
from app.schedules.cron import CronExpression, CronInvalid, parse_cron
from app.schedules.intervals import Interval, parse_interval
from app.schedules.second_bounds import refuse_too_close
from app.schedules.single_times import MOST_TIMES, SingleTimes, read_single_time, single_times

Read = TypeVar("Read")

LONGEST_TEXT = 500
MOST_LINES = 5
# Longer than any text with as many lines as are allowed; what has more is not looked at.
_MOST_BREAKS = 40


@dataclass(frozen=True)
class CronLines:
    """Two to five cron lines. A time that several of them name is one time."""

    text: str  # as typed, without the spaces around it
    canonical: str
    lines: tuple[CronExpression, ...] = field(compare=False, repr=False)
    is_manual = False


Times = CronExpression | CronLines | Interval | SingleTimes


class Kind(StrEnum):
    """What a line of a rhythm is."""

    CRON = "cron"
    INTERVAL = "every"
    SINGLE = "at"


@dataclass(frozen=True)
class _Line:
    """A line that is not empty, and its place in the text, for whoever looks for what is wrong."""

    number: int
    text: str

    @property
    def kind(self) -> Kind:
        word = self.text.split(maxsplit=1)[0].lower()
        return Kind(word) if word in set(Kind) - {Kind.CRON} else Kind.CRON


def clean_text(text: str) -> str:
    """The text as it is stored: without the spaces around it, with plain line breaks."""
    return text.replace("\r\n", "\n").strip()


def parse_times(text: str, *, spread_key: str = "", has_seconds: bool = False) -> Times:
    """Understand a rhythm's text. Raises CronInvalid, which names the line where there are several.

    The bounds come first, so that no input is expensive.
    """
    refuse_long(text)
    typed = clean_text(text)
    lines = [_Line(number, line) for number, line in enumerate(typed.split("\n"), 1) if line.strip()]
    if not lines:
        raise CronInvalid("Choose when it should run.")
    kinds = {line.kind for line in lines}
    if len(kinds) > 1:
        raise CronInvalid("Cron lines, intervals and single times do not mix. Make a schedule for each kind.")
    if kinds == {Kind.SINGLE}:
        return _single_times(lines, typed)
    if kinds == {Kind.INTERVAL}:
        if len(lines) > 1:
            raise CronInvalid("An interval stands alone. Make another schedule for the next one.")
        return parse_interval(typed)
    found = _cron(lines, typed, spread_key=spread_key, has_seconds=has_seconds)
    if has_seconds:
        refuse_too_close([found] if isinstance(found, CronExpression) else found.lines)
    return found


def refuse_long(text: str) -> None:
    """Raises CronInvalid for a text that is longer than any rhythm needs to be, without reading it.

    It does not say how long that is: a script sends the beginning of such a text alone.
    """
    if len(text) <= LONGEST_LINE:
        return
    if "\n" not in text.strip():
        raise CronInvalid(f"A cron line has at most {LONGEST_LINE} characters. Shorten the text.")
    if len(text) > LONGEST_TEXT:
        raise CronInvalid(f"All lines together have at most {LONGEST_TEXT} characters. Shorten the text.")
    if text.count("\n") > _MOST_BREAKS:
        raise CronInvalid(f"These are too many lines. Use at most {MOST_LINES} cron lines, or {MOST_TIMES} times.")


def _cron(lines: Sequence[_Line], typed: str, *, spread_key: str, has_seconds: bool) -> CronExpression | CronLines:
    if len(lines) < 2:
        return parse_cron(typed, spread_key=spread_key, has_seconds=has_seconds)
    if len(lines) > MOST_LINES:
        raise CronInvalid(f"A schedule has at most {MOST_LINES} cron lines. This has {len(lines)}.")
    found = _each(lines, lambda line: parse_cron(line, spread_key=spread_key, has_seconds=has_seconds))
    for line, one in zip(lines, found, strict=True):
        if one.is_manual:
            raise CronInvalid(f"Line {line.number}: {one.text} stands alone. Remove it, or the other lines.")
    distinct = {one.canonical: one for one in found}
    return CronLines(typed, "\n".join(sorted(distinct)), tuple(distinct.values()))


def _single_times(lines: Sequence[_Line], typed: str) -> SingleTimes:
    if len(lines) > MOST_TIMES:
        raise CronInvalid(f"A schedule has at most {MOST_TIMES} single times. This has {len(lines)}.")
    return single_times(set(_each(lines, read_single_time)), text=typed)


def _each(lines: Sequence[_Line], read: Callable[[str], Read]) -> list[Read]:
    """Every line read, or the refusal of the first that cannot be, with its number where there are several."""
    found = []
    for line in lines:
        try:
            found.append(read(line.text))
        except CronInvalid as error:
            where = f"Line {line.number}: " if len(lines) > 1 else ""
            raise CronInvalid(f"{where}{error.message}", cell=error.cell, line=line.number) from error
    return found
