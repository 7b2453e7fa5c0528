"""Slack, Teams and whatever else the library Apprise speaks, behind one address. Apprise runs in a process of its own.

Why so, is told in docs/decisions/0019-apprise-in-a-cage.md.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.core.addresses import Network
from app.core.hiding import Cleaner, make_cleaner
from app.core.retry_after import break_asked_for
from app.core.text import first_words
from app.notifications.couriers.apprise_schemes import SERVICES
from app.notifications.couriers.errands import (
    CONNECT_SECONDS,
    MOST_ANSWER_BYTES,
    TOTAL_SECONDS,
    ChannelInvalid,
    Errand,
    Fate,
    FieldWords,
    NotDelivered,
    Place,
    Receipt,
    hint_of,
)
from app.notifications.messages.content import Content
from app.notifications.messages.forms import marked_title, plain_text, quiet

LONGEST_URL = 2_000
# Beside what its requests may take: to start it.
START_SECONDS = 20.0
_SCHEME = re.compile(r"([a-z][a-z0-9]{1,20})://\S{3,}")
_OWN_KINDS = {"discord": "Discord", "tgram": "Telegram", "mailto": "E-mail", "mailtos": "E-mail"}
_OWN_KINDS |= dict.fromkeys(("json", "jsons", "xml", "xmls", "form", "forms"), "Webhook")
_PASSED_ON = ("PATH", "LANG", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
_MODULE = "app.notifications.couriers.apprise_child"
_GONE_FOR_GOOD = frozenset({401, 403, 404, 410})


@dataclass(frozen=True)
class AppriseCourier:
    """Only the services of the list, only by HTTP, and only to addresses that the guard lets through."""

    allowed_private: Sequence[Network] = ()
    label: str = "Another service"
    can_edit: bool = False
    is_idempotent: bool = False
    start_seconds: float = START_SECONDS
    total_seconds: float = TOTAL_SECONDS
    fields: tuple[FieldWords, ...] = (
        FieldWords(
            "url",
            "Apprise address",
            "As Apprise’s documentation writes it: slack://TokenA/TokenB/TokenC/#channel",
            is_secret=True,
        ),
    )

    def clean(self, given: Mapping[str, str], *, before: Place | None = None) -> Place:
        url = given.get("url", "").strip()
        if not url and before is not None:
            return before
        found = _SCHEME.fullmatch(url.partition("://")[0].lower() + "://" + url.partition("://")[2])
        if found is None or len(url) > LONGEST_URL or not url.isprintable():
            message = (
                "This is no address of Apprise. It begins with the service, as in slack://TokenA/TokenB/TokenC/#ops."
            )
            raise ChannelInvalid(message, field="url")
        scheme = found[1]
        if scheme in _OWN_KINDS:
            message = f"Belfry speaks {_OWN_KINDS[scheme]} itself: make a channel of that kind instead."
            raise ChannelInvalid(message, field="url")
        if scheme not in SERVICES:
            shown = first_words(scheme, longest=20)
            known = ", ".join(sorted(set(SERVICES.values()), key=str.casefold))
            raise ChannelInvalid(f"{shown}:// cannot be used here. There are: {known}.", field="url")
        try:
            answer = self._ask({"action": "check", "url": url})
        except NotDelivered as error:
            raise ChannelInvalid(f"{error.message} Try again in a minute.", field="url") from error
        if not answer.get("is_known"):
            said = _said(answer, _cleaner(url))
            message = f"{SERVICES[scheme]} cannot be told by this address{f': {said}' if said else ''}."
            raise ChannelInvalid(f"{message} Apprise’s documentation says how one looks.", field="url")
        return Place({"service": SERVICES[scheme], "scheme": scheme}, url, hint_of(url))

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        service = str(place.settings["service"])
        job = {
            "action": "send",
            "url": place.secret,
            "title": quiet(marked_title(content)),
            "body": quiet(plain_text(content)),
            "tone": content.tone.value,
        }
        answer = self._ask(job)
        if answer.get("ok"):
            return Receipt(f"{service} took it.")
        raise _trouble(answer, service, errand, _cleaner(place.secret))

    def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """What came of a job in a process of its own, which ends when its time is over."""
        limits = {
            "connect_seconds": CONNECT_SECONDS,
            "total_seconds": self.total_seconds,
            "max_response_bytes": MOST_ANSWER_BYTES,
        }
        job |= {"limits": limits, "allowed_private": ", ".join(str(network) for network in self.allowed_private)}
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            done = subprocess.run(  # noqa: S603 - our own module, and what is typed in goes to its standard input
                [sys.executable, "-P", "-m", _MODULE],
                input=json.dumps(job),
                capture_output=True,
                text=True,
                timeout=self.total_seconds + self.start_seconds,
                env=environment,
                cwd="/",
                check=False,
            )
            if done.returncode < 0:
                # Killed, by a machine short of memory it may be: at any moment, so before or after it was sent.
                raise NotDelivered("Apprise was killed in the middle of it.", fate=Fate.DOUBTFUL)
            found = json.loads(done.stdout)
        except subprocess.TimeoutExpired as error:
            raise NotDelivered("Apprise did not finish in time.", fate=Fate.DOUBTFUL) from error
        except (OSError, ValueError) as error:
            raise NotDelivered("Apprise could not be started here.", fate=Fate.LATER) from error
        assert isinstance(found, dict)
        return found


def _trouble(answer: dict[str, Any], service: str, errand: Errand, clean: Cleaner) -> NotDelivered:
    seen = answer.get("seen") or []
    if answer.get("forbidden"):
        return NotDelivered(clean(str(answer["forbidden"][0])), fate=Fate.BROKEN)
    refused = next((one for one in seen if one.get("is_refused")), None)
    if refused is not None:
        return NotDelivered(clean(refused["problem"]), fate=Fate.BROKEN)
    if not seen:
        words = str(answer.get("problem") or _said(answer, clean) or "It asked nobody.")
        return NotDelivered(f"{service} was not told. {words}", fate=Fate.REFUSED)
    return _judge_last(seen, service, errand, clean)


def _judge_last(seen: list[dict[str, Any]], service: str, errand: Errand, clean: Cleaner) -> NotDelivered:
    last = seen[-1]
    is_doubtful = any(one.get("is_doubtful") or 200 <= one.get("status", 0) < 300 for one in seen)
    if "status" not in last:
        return NotDelivered(clean(last["problem"]), fate=Fate.DOUBTFUL if is_doubtful else Fate.LATER)
    status = int(last["status"])
    shown = clean(first_words(str(last["text"]), longest=160))
    words = f"{service} answered {status}" + (f": {shown}" if shown else ".")
    if is_doubtful:
        return NotDelivered(words, fate=Fate.DOUBTFUL)
    if status == 429 or status >= 500:
        rest = break_asked_for(status, [(name, value) for name, value in last["headers"]], now=errand.now)
        return NotDelivered(words, fate=Fate.LATER, rest=rest or (timedelta(minutes=1) if status == 429 else None))
    return NotDelivered(words, fate=Fate.BROKEN if status in _GONE_FOR_GOOD else Fate.REFUSED)


def _said(answer: dict[str, Any], clean: Cleaner) -> str:
    said = answer.get("said") or [""]
    return clean(first_words(str(said[0]), longest=160)).rstrip(".")


def _cleaner(url: str) -> Cleaner:
    """Every longer piece of the address may be a token."""
    return make_cleaner([url, *(piece for piece in re.split(r"[/:@?&=#,]+", url) if len(piece) >= 6)])
