"""Names and short texts that people and other machines hand in: what of them can be shown. Pure."""

import re
import unicodedata

from app.core.errors import Invalid

# Control characters, lone surrogates, private and unassigned code points, and the two separators that break lines.
_UNSHOWABLE = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
# They turn the direction of writing, so that a text reads as another one. Joiners, which emoji need, are fine.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Nobody sees them, so that two different texts look alike.
_INVISIBLE = frozenset("\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# The same, and what a terminal takes for the end of a line, but for the line break; and halves of letters, which cannot
# be sent anywhere.
_STEERING = re.compile(
    rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{''.join(sorted(_DIRECTIONS | _INVISIBLE))}]"
)


class NameInvalid(Invalid):
    """The name is missing, too long or cannot be shown."""


def clean_name(text: str, *, noun: str, longest: int) -> str:
    """The name as it is stored: trimmed. Raises NameInvalid; `noun` says what is named."""
    name = text.strip()
    if not name:
        raise NameInvalid(f"Give the {noun} a name.", field="name")
    if len(name) > longest:
        raise NameInvalid(f"The name is too long. Use at most {longest} characters.", field="name")
    if has_unshowable(name):
        raise NameInvalid("The name contains characters that cannot be shown. Type it again.", field="name")
    return name


def has_unshowable(text: str, *, besides: str = "") -> bool:
    """Whether a terminal or a page could be steered by the text, not counting the characters of `besides`."""
    return any(_is_unshowable(letter) for letter in text if letter not in besides)


def showable(text: str) -> str:
    """The text without what cannot be shown, for a name that another machine gave."""
    return "".join(letter for letter in text if not _is_unshowable(letter)).strip()


def without_controls(text: str) -> str:
    """The text without control characters. Line breaks and tabs stay."""
    return _CONTROLS.sub("", text)


def visible(text: str) -> str:
    """The text with everything in it that could steer a terminal or a page written out, as `\\x1b` or `\\u202e`.

    Line breaks and tabs stay.
    """
    # Most texts have nothing of the kind, and pages ask this of each piece of theirs.
    if text.isprintable() or not _STEERING.search(text):
        return text
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))


def _is_unshowable(letter: str) -> bool:
    return letter in _DIRECTIONS or letter in _INVISIBLE or unicodedata.category(letter) in _UNSHOWABLE
