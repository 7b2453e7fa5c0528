"""Times of the day as people type them, in minutes from midnight. Pure."""

import re

from app.core.errors import Invalid

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class TimeOfDayInvalid(Invalid):
    """What was said is no time of the day."""


def minute_of(text: str, *, field: str) -> int | None:
    """The minute that `22:00` means; None for an empty text. Raises TimeOfDayInvalid, which names the field."""
    said = text.strip()
    if not said:
        return None
    found = _TIME.fullmatch(said)
    if found is None:
        raise TimeOfDayInvalid("Write a time of the day, such as 22:00, or leave it empty.", field=field)
    return int(found[1]) * 60 + int(found[2])


def time_words(minute: int | None) -> str:
    """`22:00`; empty for None."""
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"
