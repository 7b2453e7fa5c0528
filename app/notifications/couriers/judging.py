"""What an answer over HTTP means for a message, where a service has no words of its own for it."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Protocol

from app.core.http import OutboundFailed, OutboundLimits, OutboundRefused, OutboundRequest, OutboundResponse
from app.core.retry_after import break_asked_for
from app.core.text import first_words
from app.notifications.couriers.errands import LIMITS, Fate, NotDelivered

LONGEST_ANSWER_SHOWN = 200
# These say of the address that it is nothing any more, that nobody may write there, or that it takes no messages.
_GONE_FOR_GOOD = frozenset({401, 403, 404, 405, 410})


class Sender(Protocol):
    """What carries requests: the guarded client."""

    def send(self, request: OutboundRequest, *, limits: OutboundLimits | None = None) -> OutboundResponse: ...


@dataclass
class LazySender:
    """Makes the client when the first request is sent: its certificates take megabytes, and most send nothing."""

    make: Callable[[], Sender]
    _lock: Lock = field(default_factory=Lock, init=False)
    _made: Sender | None = field(default=None, init=False)

    def send(self, request: OutboundRequest, *, limits: OutboundLimits | None = None) -> OutboundResponse:
        with self._lock:
            made = self._made = self._made or self.make()
        return made.send(request, limits=limits)


def ask(sender: Sender, request: OutboundRequest) -> OutboundResponse:
    """Send it within the limits of messages. Raises NotDelivered when no answer came, or it may not be sent."""
    try:
        return sender.send(request, limits=LIMITS)
    except OutboundRefused as error:
        raise NotDelivered(error.message, fate=Fate.BROKEN) from error
    except OutboundFailed as error:
        fate = Fate.DOUBTFUL if error.may_have_arrived else Fate.LATER
        raise NotDelivered(error.message, fate=fate) from error


def judge(
    answer: OutboundResponse, *, who: str, now: datetime, clean: Callable[[str], str], said: str | None = None
) -> NotDelivered:
    """What an answer means that is not one of success. `said` are the service's own words, if they are known."""
    words = clean(first_words(answer.text if said is None else said, longest=LONGEST_ANSWER_SHOWN))
    sentence = f"{who} answered {answer.status}" + (f": {words}" if words else ".")
    rest = break_asked_for(answer.status, answer.headers, now=now)
    if answer.status == 429:
        return NotDelivered(f"{who} asks for fewer messages (429).", fate=Fate.LATER, rest=rest or timedelta(minutes=1))
    if 300 <= answer.status < 400:
        return NotDelivered(
            f"{who} answered {answer.status}: it has moved. Belfry follows nobody; give its new address.",
            fate=Fate.LATER,
        )
    if answer.status in _GONE_FOR_GOOD:
        return NotDelivered(sentence, fate=Fate.BROKEN)
    if answer.status >= 500 or answer.status in {408, 425}:
        return NotDelivered(sentence, fate=Fate.LATER, rest=rest)
    return NotDelivered(sentence, fate=Fate.REFUSED)


def json_of(answer: OutboundResponse) -> dict[str, Any]:
    """What it answered, if that is an object; else nothing."""
    with suppress(ValueError, RecursionError):
        found = json.loads(answer.body)
        if isinstance(found, dict):
            return found
    return {}


def post_json(method: str, url: str, content: dict[str, Any], **headers: str) -> OutboundRequest:
    """A request with an object."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return OutboundRequest(method, url, (("Content-Type", "application/json"), *headers.items()), body)
