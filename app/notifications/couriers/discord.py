"""Discord, by the webhook of a channel there. Its address is the secret: whoever knows it can write."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.core.hiding import make_cleaner
from app.core.http import OutboundResponse
from app.notifications.couriers.errands import (
    ChannelInvalid,
    Errand,
    Fate,
    FieldWords,
    NotDelivered,
    Place,
    Receipt,
    hint_of,
)
from app.notifications.couriers.judging import Sender, ask, json_of, judge, post_json
from app.notifications.messages.content import Content
from app.notifications.messages.forms import discord_embed

OFFICIAL = "https://discord.com"
_HOSTS = {"discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"}
_PATH = re.compile(r"/api(?:/v\d{1,2})?/webhooks/(\d{5,25})/([A-Za-z0-9_-]{20,200})/?")
_UNKNOWN_MESSAGE = 10008
_ARCHIVED_THREADS = frozenset({50083, 160005})
# A forum, which takes threads only, and a thread that is closed: no message of ours ever arrives there.
_TAKES_NOTHING = _ARCHIVED_THREADS | {220001}


@dataclass(frozen=True)
class DiscordCourier:
    """`base_url` is where Discord answers: a setting, never something that somebody typed in."""

    sender: Sender
    base_url: str = OFFICIAL
    label: str = "Discord"
    can_edit: bool = True
    is_idempotent: bool = False
    fields: tuple[FieldWords, ...] = (
        FieldWords(
            "webhook_url",
            "Webhook URL",
            "In Discord: the channel’s settings, Integrations, Webhooks, Copy Webhook URL.",
            is_secret=True,
        ),
    )

    def clean(self, given: Mapping[str, str], *, before: Place | None = None) -> Place:
        url = given.get("webhook_url", "").strip()
        if not url and before is not None:
            return before
        short = self._short(url)
        return Place({}, short, hint_of(short.partition("?")[0]))

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        path, _, query = place.secret.partition("?")
        hook = f"{self.base_url}/api/webhooks/{path}"
        options = "&".join(part for part in (query, "" if errand.edits else "wait=true") if part)
        where = f"{hook}/messages/{errand.edits}" if errand.edits else hook
        url = f"{where}?{options}" if options else where
        answer = ask(self.sender, post_json("PATCH" if errand.edits else "POST", url, discord_embed(content)))
        if 200 <= answer.status < 300:
            return Receipt("Discord took it.", _message_id(answer))
        raise self._trouble(answer, place, errand)

    def _short(self, url: str) -> str:
        """What is sealed of an address: the webhook's number and token, and the thread if there is one."""
        try:
            parts = urlsplit(url)
            host = f"{parts.scheme}://{parts.netloc}".lower()
        except ValueError:
            raise _malformed() from None
        found = _PATH.fullmatch(parts.path)
        is_here = (parts.scheme == "https" and parts.netloc.lower() in _HOSTS) or host == self.base_url.lower()
        if not is_here or found is None or not url.isascii() or not url.isprintable():
            raise _malformed()
        thread = parse_qs(parts.query).get("thread_id", [""])[0]
        if thread and not re.fullmatch(r"\d{5,25}", thread):
            raise _malformed()
        return f"{found[1]}/{found[2]}" + (f"?thread_id={thread}" if thread else "")

    def _trouble(self, answer: OutboundResponse, place: Place, errand: Errand) -> NotDelivered:
        said = json_of(answer)
        token = place.secret.partition("?")[0].partition("/")[2]
        found = judge(
            answer,
            who="Discord",
            now=errand.now,
            clean=make_cleaner([place.secret, token]),
            said=str(said.get("message", "")),
        )
        if errand.edits and (said.get("code") == _UNKNOWN_MESSAGE or said.get("code") in _ARCHIVED_THREADS):
            return NotDelivered(found.message, fate=Fate.GONE)
        rest = _rest(said)
        if answer.status == 429 and rest is not None:
            return NotDelivered(found.message, fate=Fate.LATER, rest=max(rest, found.rest or rest))
        if answer.status in {401, 404}:
            words = "Discord does not know this webhook any more: it was deleted, or its address is wrong."
            return NotDelivered(f"{words} Make one in Discord and give its address.", fate=Fate.BROKEN)
        if not errand.edits and said.get("code") in _TAKES_NOTHING:
            words = "Give the address of a webhook in another channel, or of a thread that is open."
            return NotDelivered(f"{found.message} {words}", fate=Fate.BROKEN)
        return found


def _rest(said: dict[str, Any]) -> timedelta | None:
    """In seconds, with a fraction; more exact than the header. JSON also has numbers that are no time at all."""
    seconds = said.get("retry_after")
    # Compared before it is converted: an endless number is no float, and what is no number compares with none.
    return timedelta(seconds=min(seconds, 86_400)) if isinstance(seconds, int | float) and seconds >= 0 else None


def _message_id(answer: OutboundResponse) -> str | None:
    found = json_of(answer).get("id")
    return found if isinstance(found, str) and found.isdecimal() and len(found) <= 25 else None


def _malformed() -> ChannelInvalid:
    return ChannelInvalid(
        "This is no webhook address of Discord. It looks like https://discord.com/api/webhooks/123…/abc…: copy it from "
        "Discord, under Integrations of the channel.",
        field="webhook_url",
    )
