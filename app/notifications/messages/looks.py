"""What the readers of each form see, made of what is really sent: a preview promises nothing else. Pure."""

import re
from dataclasses import dataclass
from html import unescape

from app.notifications.messages.content import Content
from app.notifications.messages.forms import (
    NOTHING,
    discord_embed,
    mail_subject,
    marked_title,
    plain_text,
    telegram_html,
)

_TELEGRAM_TAGS = re.compile(r"</?[bi]>|<a href=\"[^\"]*\">|</a>")
_DISCORD_LINKS = re.compile(r"(?<!\\)\[((?:[^\\\]]|\\.)*)\]\(https?://[^)\s]*\)")
_ESCAPED = re.compile(r"\\([\\*_~`|>#\[\]()<-])")


@dataclass(frozen=True)
class Look:
    """A message as it is read: the line on top, the text with its line breaks, and what has a label of its own."""

    name: str
    heading: str
    text: str
    rows: tuple[tuple[str, str], ...] = ()
    foot: str = ""


def looks_of(content: Content) -> tuple[Look, ...]:
    """The message in each form that people read."""
    return _mail(content), _text(content), _discord(content), _telegram(content)


def _mail(content: Content) -> Look:
    links = " · ".join(link.label for link in content.links)
    parts = [part for part in (content.body, "" if content.rows else links) if part]
    rows = (*content.rows, ("Links", links)) if content.rows and links else content.rows
    return Look("E-mail", marked_title(content), "\n\n".join(parts), rows, _foot(content))


def _text(content: Content) -> Look:
    return Look("Text, for other services and plain mail", mail_subject(content), plain_text(content))


def _discord(content: Content) -> Look:
    (embed,) = discord_embed(content)["embeds"]
    rows = tuple((_unmarked(one["name"]), _unmarked(one["value"])) for one in embed["fields"])
    return Look("Discord", _unmarked(embed["title"]), _unmarked(embed["description"]), rows, embed["footer"]["text"])


def _telegram(content: Content) -> Look:
    sent = unescape(_TELEGRAM_TAGS.sub("", telegram_html(content))).replace(NOTHING, "")
    heading, _, text = sent.partition("\n\n")
    return Look("Telegram", heading, text)


def _unmarked(text: str) -> str:
    return _ESCAPED.sub(r"\1", _DISCORD_LINKS.sub(r"\1", text)).replace(NOTHING, "")


def _foot(content: Content) -> str:
    return f"Belfry · {content.organization}" if content.organization else "Belfry"
