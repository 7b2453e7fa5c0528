"""Telegram, by a bot: its token is the secret, and the chat it writes to is not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

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
from app.notifications.messages.forms import telegram_html

OFFICIAL = "https://api.telegram.org"
_TOKEN = re.compile(r"\d{5,15}:[A-Za-z0-9_-]{30,60}")
_CHAT = re.compile(r"-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31}")
_MOST_ID = 2**63
_UNCHANGED = "message is not modified"
_CANNOT_EDIT = ("message to edit not found", "message can't be edited", "message_id_invalid")
_BROKEN = (
    "chat not found", "user is deactivated", "group chat was upgraded", "topic_closed", "topic_deleted",
    "thread not found", "not enough rights", "have no rights", "need administrator rights", "chat_write_forbidden",
)  # fmt: skip


@dataclass(frozen=True)
class TelegramCourier:
    """`base_url` is where Telegram answers: a setting, never something that somebody typed in."""

    sender: Sender
    base_url: str = OFFICIAL
    label: str = "Telegram"
    can_edit: bool = True
    is_idempotent: bool = False
    fields: tuple[FieldWords, ...] = (
        FieldWords("token", "Bot token", "From @BotFather: 1234567890:AA…", is_secret=True),
        FieldWords("chat_id", "Chat", "A number such as -1001234567890, or @name of a public channel."),
        FieldWords("topic_id", "Topic", "The number of a topic in a group, if it has topics.", is_required=False),
    )

    def clean(self, given: Mapping[str, str], *, before: Place | None = None) -> Place:
        token = given.get("token", "").strip() or (before.secret if before else "")
        if not _TOKEN.fullmatch(token):
            raise ChannelInvalid(
                "This is no token of a Telegram bot. @BotFather gives one like 1234567890:AAF…", field="token"
            )
        chat = given.get("chat_id", "").strip()
        if not _CHAT.fullmatch(chat):
            message = "The chat is a number such as -1001234567890, or the @name of a public channel."
            raise ChannelInvalid(message, field="chat_id")
        topic = given.get("topic_id", "").strip()
        if topic and not re.fullmatch(r"\d{1,10}", topic):
            raise ChannelInvalid("A topic is a number. Leave it empty without topics.", field="topic_id")
        return Place({"chat_id": chat} | ({"topic_id": topic} if topic else {}), token, hint_of(token))

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        wanted: dict[str, Any] = {
            "chat_id": place.settings["chat_id"],
            "text": telegram_html(content),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
        }
        if errand.edits:
            wanted["message_id"] = int(errand.edits)
        elif "topic_id" in place.settings:
            wanted["message_thread_id"] = int(place.settings["topic_id"])
        method = "editMessageText" if errand.edits else "sendMessage"
        answer = ask(self.sender, post_json("POST", f"{self.base_url}/bot{place.secret}/{method}", wanted))
        said = json_of(answer)
        if 200 <= answer.status < 300 and said.get("ok") is True:
            return Receipt("Telegram took it.", _message_id(said) or errand.edits)
        description = str(said.get("description", ""))
        if errand.edits and _UNCHANGED in description.lower():
            return Receipt("Telegram has it already.", errand.edits)
        raise _trouble(answer, said, description, place, errand)


def _trouble(
    answer: OutboundResponse, said: dict[str, Any], description: str, place: Place, errand: Errand
) -> NotDelivered:
    clean = make_cleaner([place.secret, place.secret.partition(":")[2]])
    found = judge(answer, who="Telegram", now=errand.now, clean=clean, said=description)
    lower = description.lower()
    if 200 <= answer.status < 300:
        return NotDelivered("Telegram’s answer cannot be read.", fate=Fate.DOUBTFUL)
    if errand.edits and any(words in lower for words in _CANNOT_EDIT):
        return NotDelivered(found.message, fate=Fate.GONE)
    if answer.status == 429:
        return NotDelivered(found.message, fate=Fate.LATER, rest=_rest(said) or found.rest)
    broken = _why_broken(answer.status, lower)
    return NotDelivered(f"{found.message.removesuffix('.')}. {broken}", fate=Fate.BROKEN) if broken else found


def _why_broken(status: int, description: str) -> str | None:
    if status in {401, 404}:
        return "Telegram does not know this bot: its token is wrong or was revoked. Give the token from @BotFather."
    if status == 403:
        return "The bot may not write there: it was blocked or removed. Let it in again, then test the channel."
    if status == 400 and any(words in description for words in _BROKEN):
        return "Check the chat, and that the bot may write there."
    return None


def _rest(said: dict[str, Any]) -> timedelta | None:
    parameters = said.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return timedelta(seconds=min(seconds, 86_400)) if isinstance(seconds, int) and seconds >= 0 else None


def _message_id(said: dict[str, Any]) -> str | None:
    result = said.get("result")
    found = result.get("message_id") if isinstance(result, dict) else None
    return str(found) if isinstance(found, int) and 0 < found < _MOST_ID else None
