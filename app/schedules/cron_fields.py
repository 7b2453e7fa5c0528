"""The fields of a cron line: what each accepts, and the plain message for the rest. Joining them is cron.py."""

import hashlib
import re
from dataclasses import dataclass, field

from app.core.errors import Invalid

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SPREAD = re.compile(r"[HR](?:\((\d+)-(\d+)\))?(?:/(\d+))?")
_NEAREST_WEEKDAY = re.compile(r"(\d+)W|W(\d+)")


class CronInvalid(Invalid):
    """The cron text cannot be accepted. The message says what is wrong with it and what to write instead.

    `cell` is the noun of the field that is to blame, where it is one alone, and `line` the number of its line, from 1.
    """

    def __init__(self, message: str, *, cell: str = "", line: int = 1) -> None:
        super().__init__(message, field="cron")
        self.cell = cell
        self.line = line


@dataclass(frozen=True)
class Field:
    """One of the places. `top` is the highest value that counts; a weekday may be typed as 7 and means 0."""

    noun: str
    low: int
    high: int
    top: int
    use: str
    names: dict[str, int] = field(default_factory=dict, compare=False)


SECOND = Field("second", 0, 59, 59, "Use 0 to 59.")
MINUTE = Field("minute", 0, 59, 59, "Use 0 to 59.")
HOUR = Field("hour", 0, 23, 23, "Use 0 to 23.")
DAY = Field("day", 1, 31, 31, "Use 1 to 31, or L for the last day.")
MONTH = Field("month", 1, 12, 12, "Use 1 to 12 or names like JAN.", {name: i for i, name in enumerate(_MONTHS, 1)})
WEEKDAY = Field(
    "weekday",
    0,
    7,
    6,
    "Use 0 to 7 (0 and 7 are Sunday) or names like MON.",
    {name: i for i, name in enumerate(_WEEKDAYS)},
)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


def is_spread(text: str) -> bool:
    """Whether a field leaves its values to the spread key."""
    return _SPREAD.fullmatch(text.upper()) is not None


def normalise_field(place: Field, text: str, *, spread_key: str) -> str:
    """The field in the one form that croniter and cron read alike. Raises CronInvalid.

    Names become numbers, `5-5` becomes `5` (croniter would read it as the whole field), `5/15` becomes `5-59/15`
    and H becomes the values it stands for.
    """
    try:
        return _normalise(place, text.upper(), spread_key)
    except CronInvalid as error:
        raise CronInvalid(error.message, cell=place.noun) from error


def _normalise(place: Field, text: str, spread_key: str) -> str:
    spread = _SPREAD.fullmatch(text)
    if spread:
        return _spread_out(place, text, spread, spread_key)
    if text == "?" and place in (DAY, WEEKDAY):
        return "*"
    parts = text.split(",")
    items = [_normalise_item(place, part, is_alone=len(parts) == 1) for part in parts]
    if place is WEEKDAY and 0 < sum("#" in item or "L" in item for item in items) < len(items):
        raise CronInvalid(
            f"{text} mixes plain weekdays with L or #. Use one kind in a line, and two schedules for both."
        )
    return ",".join(items)


def _normalise_item(place: Field, part: str, *, is_alone: bool) -> str:
    if not part:
        raise CronInvalid(f"A {place.noun} is missing beside a comma. Remove the comma or add the {place.noun}.")
    base, slash, step_text = part.partition("/")
    step = _read_step(place, part, step_text) if slash else 1
    if base == "*":
        if not is_alone:
            raise CronInvalid(f"* already means every {place.noun}, so it cannot be part of a list. Write * alone.")
        return f"*/{step}" if step > 1 else "*"
    if not slash:
        special = _normalise_special(place, base, is_alone=is_alone)
        if special:
            return special
    if "-" in base:
        return _normalise_range(place, base, step)
    value = _read_value(place, base) % (place.top + 1)
    if not slash:
        return str(value)
    if not is_alone:
        raise CronInvalid(f"{part} cannot be part of a list. Write the range out: {value}-{place.top}/{step}.")
    return _range_text(value, place.top, step)


def _normalise_range(place: Field, base: str, step: int) -> str:
    low_text, _, high_text = base.partition("-")
    if not low_text or not high_text:
        raise CronInvalid(f"“{base}” is not a {place.noun}. {place.use}")
    low, high = _read_value(place, low_text), _read_value(place, high_text)
    if low > high:
        raise CronInvalid(_backwards(place, base, low, high, step))
    if low == high:
        return str(low % (place.top + 1))
    return _range_text(low, high, step)


def _normalise_special(place: Field, base: str, *, is_alone: bool) -> str | None:
    """L and W in the day, L5 and 5#2 in the weekday; None for everything else."""
    if place is DAY:
        return _normalise_special_day(base, is_alone=is_alone)
    if place is not WEEKDAY:
        return None
    name, sharp, nth = base.partition("#")
    if sharp:
        if nth not in ("1", "2", "3", "4", "5"):
            raise CronInvalid("After # comes 1 to 5: 5#2 is the second Friday of a month.")
        return f"{_read_value(WEEKDAY, name) % 7}#{nth}"
    if base == "L":
        raise CronInvalid("L needs a weekday: L5 is the last Friday. For the last day of the month, use L as the day.")
    if base.startswith("L"):
        return f"L{_read_value(WEEKDAY, base[1:]) % 7}"
    if base.endswith("L"):
        value = _read_value(WEEKDAY, base[:-1])
        raise CronInvalid(f"{base} is not supported. Write L{value} for the last one of the month.")
    return None


def _normalise_special_day(base: str, *, is_alone: bool) -> str | None:
    nearest = _NEAREST_WEEKDAY.fullmatch(base)
    if nearest:
        if not is_alone:
            raise CronInvalid(f"{base} cannot be part of a list. Use one schedule for each such day.")
        return f"{_read_value(DAY, nearest[1] or nearest[2])}W"
    if base == "L":
        return base
    if "L" in base:
        raise CronInvalid(f"{base} is not supported. L alone is the last day of the month.")
    return None


def _read_value(place: Field, text: str) -> int:
    if text in place.names:
        return place.names[text]
    if not text.isdigit():
        raise CronInvalid(f"“{text}” is not a {place.noun}. {place.use}")
    # The bound comes before anything is expanded, so that a huge number costs nothing.
    value = int(text)
    if not place.low <= value <= place.high:
        raise CronInvalid(f"{place.noun.capitalize()} {value} does not exist. {place.use}")
    return value


def _read_step(place: Field, part: str, text: str) -> int:
    if not text.isdigit():
        raise CronInvalid(f"“{part}” is not a {place.noun} with a step. After / comes a number, as in */5.")
    if int(text) == 0:
        raise CronInvalid("A step must be 1 or more.")
    return int(text)


def _range_text(low: int, high: int, step: int) -> str:
    if low == high:
        return str(low)
    return f"{low}-{high}/{step}" if step > 1 else f"{low}-{high}"


def _backwards(place: Field, base: str, low: int, high: int, step: int) -> str:
    if place is WEEKDAY and high == 0:
        whole = " or *" if low == 1 else ""
        return f"{base} runs backwards, because {base.partition('-')[2]} counts as 0. Write {low}-7{whole}."
    if step > 1:
        return f"{base}/{step} runs backwards. Put the smaller number first."
    around = f"{_range_text(low, place.top, 1)},{_range_text(place.low, high, 1)}"
    if low > place.top:
        around = _range_text(place.low, high, 1)
    return f"{base} runs backwards. Write {_range_text(high, low, 1)}, or {around}."


def _spread_out(place: Field, text: str, spread: re.Match[str], spread_key: str) -> str:
    """H as the values it stands for: always the same ones for the same key, and different ones for different keys."""
    if text.startswith("R"):
        raise CronInvalid(
            "R is not supported: it would be another time whenever the line is read. Use H, which stays the same."
        )
    # A day beyond the 28th would leave out months, which nobody who writes H expects.
    low, high = place.low, min(place.top, 28) if place is DAY else place.top
    if spread[1]:
        low, high = _read_value(place, spread[1]), _read_value(place, spread[2])
        if low > high:
            raise CronInvalid(_backwards(place, f"{low}-{high}", low, high, 1))
    width = high - low + 1
    seed = int.from_bytes(hashlib.sha256(f"{place.noun}:{spread_key}".encode()).digest()[:8], "big")
    if not spread[3]:
        return str((low + seed % width) % (place.top + 1))
    step = _read_step(place, text, spread[3])
    values = {value % (place.top + 1) for value in range(low + seed % min(step, width), high + 1, step)}
    return ",".join(map(str, sorted(values)))
