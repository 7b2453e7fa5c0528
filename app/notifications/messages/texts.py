"""Texts that people write, with names in braces: `{{job}} failed`. Names are replaced by values, and that is all.

There is no template engine: whatever else stands in a text is text, in every form that a message takes.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.core.errors import Invalid
from app.core.names import has_unshowable
from app.core.text import first_words
from app.notifications.messages.content import LONGEST_BODY, LONGEST_TITLE

LONGEST_TITLE_TEXT = 300
LONGEST_BODY_TEXT = 4_000
LONGEST_VALUE = 2_000
# Spaces are bounded, or a text of many braces and spaces would be searched again and again.
_NAME = re.compile(r"\{\{ {0,4}([a-z][a-z_]{0,39}) {0,4}\}\}")


class TextInvalid(Invalid):
    """A text for messages is too long, has no words, or names what there is not."""


@dataclass(frozen=True)
class MessageText:
    """What somebody wrote for one type of message."""

    title: str
    body: str


def clean_text(text: MessageText, *, known: Collection[str]) -> MessageText:
    """The text as it is stored. Raises TextInvalid, which names every variable that there is not."""
    title, body = text.title.strip(), text.body.replace("\r\n", "\n").strip()
    if not title:
        raise TextInvalid("Write a title.", field="title")
    for field, value, longest in (("title", title, LONGEST_TITLE_TEXT), ("body", body, LONGEST_BODY_TEXT)):
        if len(value) > longest:
            raise TextInvalid(f"The {field} is too long. Use at most {longest:,} characters.", field=field)
        if has_unshowable(value, besides="\n\t" if field == "body" else ""):
            raise TextInvalid(_unshowable_words(field), field=field)
        unknown = unknown_names(value, known=known)
        if unknown:
            raise TextInvalid(_unknown_words(unknown, known), field=field)
    return MessageText(title, body)


def unknown_names(text: str, *, known: Collection[str]) -> list[str]:
    """The names in braces that stand for nothing, each once."""
    return [name for name in dict.fromkeys(_NAME.findall(text)) if name not in known]


def fill_title(text: str, values: Mapping[str, str]) -> str:
    """One line, however many lines a value has: it becomes the subject of mails."""
    filled = _fill(text, values, longest=4 * LONGEST_TITLE)
    return first_words(" ".join(filled.split()), longest=LONGEST_TITLE)


def fill_body(text: str, values: Mapping[str, str]) -> str:
    """The text with its names replaced, cut where it becomes too long."""
    return _fill(text, values, longest=LONGEST_BODY).strip()


def _fill(text: str, values: Mapping[str, str], *, longest: int) -> str:
    """One pass from left to right: what a value contains is never looked at again."""
    pieces: list[str] = []
    room, at = longest, 0
    for found in _NAME.finditer(text):
        # A name that stands for nothing stays as it was written.
        value = values.get(found[1], found[0])[:LONGEST_VALUE]
        for piece in (text[at : found.start()], value):
            pieces.append(piece[:room])
            room -= len(pieces[-1])
        at = found.end()
        if room <= 0:
            return "".join(pieces)[: longest - 1] + "…"
    rest = text[at:]
    return "".join(pieces) + (rest if len(rest) <= room else rest[: room - 1] + "…")


def _unshowable_words(field: str) -> str:
    if field == "title":
        return "The title contains a line break or characters that cannot be shown. Write it in one line."
    return "The body contains characters that cannot be shown. Type it again."


def _unknown_words(unknown: list[str], known: Collection[str]) -> str:
    named = ", ".join(f"{{{{{name}}}}}" for name in unknown[:5])
    there_are = ", ".join(f"{{{{{name}}}}}" for name in sorted(known))
    return f"Nothing is called {named}. There are: {there_are}."
