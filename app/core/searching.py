"""Looking for a part of a text without regard to capitals, of whatever script and in whatever database."""

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute


def holds_text(column: ColumnElement[str] | InstrumentedAttribute[str], typed: str) -> ColumnElement[bool]:
    """Whether a column holds what somebody typed, letter by letter, in capitals or not."""
    if typed.isascii():
        return column.icontains(typed, autoescape=True)
    # What a database takes for a capital depends on the locale it was made with, and many know those of ASCII alone.
    return column.regexp_match("".join(map(_either, typed)))


def _either(letter: str) -> str:
    both = sorted({letter, letter.lower(), letter.upper()})
    if len(both) > 1:
        # Some have a capital of two letters: those are found as they were typed.
        return f"[{''.join(one for one in both if len(one) == 1)}]"
    return letter if letter.isalnum() or not letter.isascii() else f"\\{letter}"
