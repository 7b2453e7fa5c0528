"""What couriers are given and what they bring back. A courier carries one message to one place, once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from app.core.errors import AppError, Invalid
from app.core.http import OutboundLimits
from app.notifications.messages.content import Content
from app.notifications.types import ChannelKind

# Whoever does not answer by then is asked again later; meanwhile others are told.
CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
MOST_ANSWER_BYTES = 64 * 1024
LIMITS = OutboundLimits(
    connect_seconds=CONNECT_SECONDS, total_seconds=TOTAL_SECONDS, max_response_bytes=MOST_ANSWER_BYTES, max_redirects=0
)
LONGEST_BREAK = timedelta(hours=1)


class ChannelInvalid(Invalid):
    """What was given for a channel cannot be used; the message says what would be."""


@dataclass(frozen=True)
class Place:
    """Where a channel leads: what everybody may see of it, and what is sealed."""

    settings: Mapping[str, str]
    secret: str = field(repr=False)
    # The last letters of what is secret, for people to tell one from another.
    hint: str = ""
    # What of the secret was made here, and is known to nobody yet: it is shown once, to who made the place.
    made: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Errand:
    """What one try is about. `key` is the same for every try of a message, so that who knows it can tell.

    `edits` names the message to write over. `reached` are those who have it already, of several.
    """

    key: str
    kind: str
    made_at: datetime
    now: datetime
    edits: str | None = None
    reached: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """The message has arrived. `ref` is what the place calls it, where it can be written over later."""

    words: str
    ref: str | None = None


class Fate(Enum):
    """What is to be done about a message that did not arrive."""

    LATER = auto()  # it did not arrive, and may another time
    DOUBTFUL = auto()  # nobody knows whether it did
    REFUSED = auto()  # this message never will
    BROKEN = auto()  # nothing will by this channel, until somebody changes it
    GONE = auto()  # what was to be written over is no longer there


class NotDelivered(AppError):
    """It did not arrive, or nobody knows. `rest` is how long the place asks to be left alone.

    `reached` are those who got it, where others did not. The message names no secret.
    """

    def __init__(
        self, message: str, *, fate: Fate, rest: timedelta | None = None, reached: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.fate = fate
        self.rest = None if rest is None else min(rest, LONGEST_BREAK)
        self.reached = reached


@dataclass(frozen=True)
class FieldWords:
    """One field of the form of a kind of channel, for people."""

    name: str
    label: str
    hint: str
    is_secret: bool = False
    is_required: bool = True
    # What a new channel has where nothing is given.
    if_empty: str = ""


class Courier(Protocol):
    """One kind of channel, and the words for its form.

    `can_edit`: a message can be written over. `is_idempotent`: two tries arrive as one.
    """

    @property
    def label(self) -> str: ...

    @property
    def fields(self) -> tuple[FieldWords, ...]: ...

    @property
    def can_edit(self) -> bool: ...

    @property
    def is_idempotent(self) -> bool: ...

    def clean(self, given: Mapping[str, str], *, before: Place | None = None) -> Place:
        """Where it leads, as it is stored. What is secret and left empty stays as it was `before`.

        Raises ChannelInvalid. Asks nobody outside.
        """

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        """Bring it there, once, within ten seconds. Raises NotDelivered and nothing else."""


Couriers = Mapping[ChannelKind, Courier]


def hint_of(secret: str) -> str:
    """The last letters of a secret that is long enough for them to say nothing."""
    return secret[-4:] if len(secret) >= 20 else ""
