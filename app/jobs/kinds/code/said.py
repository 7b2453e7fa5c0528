"""Looks at what an operator's module holds without running any of it: a class may raise at every touch. Pure."""

from collections.abc import Iterable
from itertools import islice
from types import ModuleType
from typing import Any, Final

from app.core.text import storable

# A message has no room for more of a value.
_LONGEST_SHOWN = 80
_LONGEST_WORDS = 500
# More is no list that anybody wrote, but something without an end.
_MOST_ENTRIES = 100
_CONTENTS: Final[Any] = vars(ModuleType)["__dict__"]
_NAME_OF_TYPE: Final[Any] = vars(type)["__name__"]


def is_a(value: object, *types: type) -> bool:
    """Whether it is of one of these types. isinstance would ask the value itself, which may raise or lie."""
    return issubclass(type(value), types)


def plain(value: Any) -> Any:
    """A text or whole number as Python's own, whatever a class of its own adds to it; anything else as it is."""
    if is_a(value, str):
        return str.__str__(value)
    return int.__index__(value) if is_a(value, int) and not is_a(value, bool) else value


def shown(value: object) -> str:
    """As its author would write it, shortened; of what cannot show itself the type."""
    try:
        text = storable(plain(repr(value)))
    except BaseException:  # noqa: BLE001 - it is somebody else's, and may raise anything
        return f"something of the type {type_name(value)}"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def type_name(value: object) -> str:
    """What its class is called."""
    return storable(plain(_NAME_OF_TYPE.__get__(type(value))))


def text_of(value: object) -> str:
    """What it says as a text, if it bears being asked."""
    try:
        return plain(str(value))  # type: ignore[no-any-return]
    except BaseException as failure:  # noqa: BLE001 - it is somebody else's, and may raise anything
        return f"it cannot say why, because of {type_name(failure)}"


def words_of(error: BaseException) -> str:
    """The text of an exception, as short as a message needs it."""
    text = storable(text_of(error))
    return text if len(text) <= _LONGEST_WORDS else f"{text[:_LONGEST_WORDS]}…"


def kind_and_words(error: BaseException) -> str:
    """“ValueError: this is why”."""
    return f"{type_name(error)}: {words_of(error)}".removesuffix(": ")


def contents_of(module: ModuleType) -> dict[str, Any]:
    """The names of a module and what they stand for, whatever its class makes of such a question."""
    found: dict[str, Any] = _CONTENTS.__get__(module)
    return found


def entries(value: object) -> tuple[Any, ...] | None:
    """What a list holds, or anything else that can be gone through; None for a text, and for what cannot."""
    if is_a(value, str, bytes):
        return None
    try:
        several: Iterable[Any] = value  # type: ignore[assignment]
        found = tuple(map(plain, islice(several, _MOST_ENTRIES + 1)))
    except BaseException:  # noqa: BLE001 - it is somebody else's, and may raise anything
        return None
    return found if len(found) <= _MOST_ENTRIES else None
