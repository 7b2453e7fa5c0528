"""What a search finds in what a run was to do: its values and the names of its parameters, and nothing masked.

The database lets through whatever may hold the text, this says whether it does: what is secret is told in one place.
"""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, String, cast, or_

from app.jobs.kinds.definitions import without_chosen
from app.tenants.audit_masks import MASK, masked

_ESCAPE = "/"


def may_hold(definition: ColumnElement[Any], typed: str) -> ColumnElement[bool]:
    """Whether stored JSON could hold a text, in whatever way it was written. True of more than `holds` is."""
    stored = cast(definition, String)
    return or_(*(stored.ilike(f"%{pattern}%", escape=_ESCAPE) for pattern in _patterns(typed)))


def holds(stored: str | None, typed: str) -> bool:
    """Whether a definition, as JSON, holds a text where people see it. One that cannot be read holds nothing."""
    try:
        definition = json.loads(stored or "")
    except (ValueError, RecursionError):
        return False
    if not isinstance(definition, dict):
        return False
    said, wanted = without_chosen(definition), typed.casefold()
    # Masking takes longer than looking, and most of what is looked at does not hold the text at all.
    if not _is_in(wanted, _texts(said)):
        return False
    return _is_in(wanted, (piece for text in _texts(masked("", said)) for piece in text.split(MASK)))


def _patterns(typed: str) -> set[str]:
    """For JSON that escapes what is not ASCII, and for JSON that does not."""
    return {"".join(_pattern(letter, is_escaped=is_escaped) for letter in typed) for is_escaped in (True, False)}


def _pattern(letter: str, *, is_escaped: bool) -> str:
    if letter.isascii():
        written = json.dumps(letter)[1:-1]
        return "".join(_ESCAPE + sign if sign in f"{_ESCAPE}%_" else sign for sign in written)
    # Any other letter will do: no database knows each by its capital, least of all where both are numbers.
    return r"\u____" * (1 if ord(letter) < 0x10000 else 2) if is_escaped else "_"


def _is_in(wanted: str, texts: Iterator[str]) -> bool:
    return any(wanted in text.casefold() for text in texts)


def _texts(definition: dict[str, Any]) -> Iterator[str]:
    for name, value in definition.items():
        # The names of everything else are Belfry's own, and every run of a kind has them.
        yield from _inner(value, has_own_names=name == "arguments")


def _inner(value: Any, *, has_own_names: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if has_own_names:
                yield str(name)
            yield from _inner(each, has_own_names=has_own_names)
    elif isinstance(value, list):
        for each in value:
            yield from _inner(each, has_own_names=has_own_names)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)
