"""What a message says, before it takes the form of a channel. Pure."""

from dataclasses import dataclass
from enum import StrEnum

LONGEST_TITLE = 200
LONGEST_BODY = 8_000


class Tone(StrEnum):
    """How it is meant: what channels show as a colour, beside the words."""

    BAD = "bad"
    GOOD = "good"
    NOTE = "note"


@dataclass(frozen=True)
class MessageLink:
    """Where to go on reading."""

    label: str
    url: str


@dataclass(frozen=True)
class Content:
    """A title of one line, a text, what is known as labels with values, and links to Belfry's own pages.

    All of it is text: each form escapes it. `type` is the word of the notification's type.
    """

    type: str
    tone: Tone
    title: str
    body: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    links: tuple[MessageLink, ...] = ()
    # In which organization; people are told by several.
    organization: str = ""
