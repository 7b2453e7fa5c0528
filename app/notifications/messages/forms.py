"""The forms that a message takes: text, HTML of a mail, Discord's embed, Telegram's HTML, JSON. Each escapes. Pure."""

import re
from datetime import datetime
from html import escape
from typing import Any

from app.core.text import first_words
from app.notifications.messages.content import Content, Tone

# Discord and Telegram refuse more than this; Discord counts all parts together.
LONGEST_DISCORD_BODY = 3_000
LONGEST_DISCORD_VALUE = 400
LONGEST_TELEGRAM = 3_500
# As many as a message of ours ever has: what is asked last, such as the next try, is not left out.
MOST_ROWS = 12
LONGEST_SUBJECT = 180
MOST_BYTES = 64 * 1024
_MARKS = {Tone.BAD: "✕", Tone.GOOD: "✓", Tone.NOTE: "•"}
_COLOURS = {Tone.BAD: 0xC9372C, Tone.GOOD: 0x1F845A, Tone.NOTE: 0x44546F}
_CSS_COLOURS = {tone: f"#{colour:06x}" for tone, colour in _COLOURS.items()}
_DISCORD_SIGNS = frozenset("\\*_~`|>#[]()<-")
# An address is read as a whole there: a sign before its underscores would be taken for a part of it.
_ADDRESSES = re.compile(r"(https?://[\w./?&=%+~#:;,!$'-]+)")
_CALLS = re.compile(r"@(?=\w)|<(?=[!@#&])")
# A sign of no width: behind an @ it keeps the word from calling anybody.
NOTHING = "\u200b"


def quiet(text: str) -> str:
    """The text so that it calls nobody: `@everyone` and `<!channel>` are words in every chat."""
    return _CALLS.sub(lambda found: found[0] + NOTHING, text)


def marked_title(content: Content) -> str:
    """The title with a sign for its tone, for those who see no colours."""
    return f"{_MARKS[content.tone]} {content.title}"


def mail_subject(content: Content) -> str:
    """One line, whatever the title is: the library refuses line breaks in headers."""
    return first_words(" ".join(marked_title(content).split()), longest=LONGEST_SUBJECT)


def plain_text(content: Content) -> str:
    """The whole of it without its title, for mails and for whatever shows text."""
    parts = [content.body, "\n".join(f"{label}: {value}" for label, value in content.rows)]
    parts.append("\n".join(f"{link.label}: {link.url}" for link in content.links))
    parts.append(f"Belfry · {content.organization}" if content.organization else "Belfry")
    return bounded("\n\n".join(part for part in parts if part))


def mail_html(content: Content) -> str:
    """A page for mail programs: no pictures, no scripts, nothing that is fetched."""
    colour = _CSS_COLOURS[content.tone]
    rows = "".join(
        f'<tr><th align="left" valign="top" style="padding:4px 16px 4px 0;font-weight:600">{escape(label)}</th>'
        f'<td style="padding:4px 0">{_lines(value)}</td></tr>'
        for label, value in content.rows
    )
    links = " · ".join(f'<a href="{escape(link.url)}">{escape(link.label)}</a>' for link in content.links)
    body = f"<p>{_lines(content.body)}</p>" if content.body else ""
    table = f'<table style="border-collapse:collapse">{rows}</table>' if rows else ""
    foot = escape(f"Belfry · {content.organization}" if content.organization else "Belfry")
    return (
        '<!doctype html><html><body style="font:15px/1.5 system-ui,sans-serif">'
        f'<h1 style="font-size:18px;border-left:4px solid {colour};padding-left:12px">{escape(marked_title(content))}'
        f"</h1>{body}{table}<p>{links}</p><p><small>{foot}</small></p></body></html>"
    )


def discord_embed(content: Content) -> dict[str, Any]:
    """One embed, and leave to mention: nobody."""
    fields = [
        {
            "name": _discord(label, 100),
            "value": _discord(value, LONGEST_DISCORD_VALUE) or "–",
            "inline": len(value) < 40,
        }
        for label, value in content.rows[:MOST_ROWS]
    ]
    links = " · ".join(f"[{_discord(link.label, 80)}]({link.url})" for link in content.links)
    body = "\n\n".join(part for part in (_discord(content.body, LONGEST_DISCORD_BODY // 2), links) if part)
    embed: dict[str, Any] = {
        "title": _discord(marked_title(content), 256),
        "description": body[:LONGEST_DISCORD_BODY],
        "color": _COLOURS[content.tone],
        "fields": fields,
        "footer": {"text": f"Belfry · {content.organization}"[:200] if content.organization else "Belfry"},
    }
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def telegram_html(content: Content) -> str:
    """What Telegram reads as HTML: a few tags of ours, and everything else escaped."""
    parts = [f"<b>{_telegram(marked_title(content), 220)}</b>", _telegram(content.body, LONGEST_TELEGRAM // 3)]
    parts.append(
        "\n".join(
            f"<b>{_telegram(label, 80)}:</b> {_telegram(value, 300)}" for label, value in content.rows[:MOST_ROWS]
        )
    )
    parts.append(" · ".join(f'<a href="{escape(link.url)}">{_telegram(link.label, 80)}</a>' for link in content.links))
    parts.append(f"<i>Belfry · {_telegram(content.organization, 80)}</i>" if content.organization else "")
    return "\n\n".join(part for part in parts if part)


def webhook_json(content: Content, *, key: str, kind: str, at: datetime) -> dict[str, Any]:
    """What programs read. `key` is the same for every try of this message, `at` when it became one."""
    return {
        "key": key,
        "event": kind,
        "type": content.type,
        "tone": content.tone.value,
        "at": at.isoformat(),
        "organization": content.organization,
        "title": content.title,
        "text": content.body,
        "facts": [{"label": label, "value": value} for label, value in content.rows],
        "links": [{"label": link.label, "url": link.url} for link in content.links],
    }


def bounded(text: str) -> str:
    """The text, cut so that no form of it is larger than anybody accepts."""
    return text if len(text) <= MOST_BYTES // 4 else text[: MOST_BYTES // 4 - 1] + "…"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _discord(text: str, longest: int) -> str:
    """At most so long with what the escapes add, and cut between two of them: Discord refuses what is longer."""
    pieces = _ADDRESSES.split(_cut(text, longest))
    escaped = [_escaped_letter(letter, in_address=bool(n % 2)) for n, piece in enumerate(pieces) for letter in piece]
    if sum(map(len, escaped)) <= longest:
        return "".join(escaped)
    room, kept = longest - 1, []
    for letter in escaped:
        room -= len(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept) + "…"


def _escaped_letter(letter: str, *, in_address: bool) -> str:
    if letter == "@":
        return f"@{NOTHING}"
    return f"\\{letter}" if letter in _DISCORD_SIGNS and not in_address else letter


def _telegram(text: str, longest: int) -> str:
    return escape(_cut(text, longest), quote=False).replace("@", f"@{NOTHING}")


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
