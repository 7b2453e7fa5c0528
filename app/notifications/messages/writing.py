"""Facts into what a message says: with the texts we ship, or with those that an organization wrote itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from app.core.clock_words import zoned_time
from app.core.lengths import duration
from app.core.names import visible
from app.core.text import first_words
from app.notifications.messages.content import LONGEST_TITLE, Content, MessageLink, Tone
from app.notifications.messages.forms import bounded
from app.notifications.messages.texts import MessageText, fill_body, fill_title
from app.notifications.messages.without_secrets import without_secrets
from app.notifications.types import NEWS, DeliveryKind, Facts, Link, LinkKind, NotificationType

LONGEST_VALUE = 1_000
MOST_LINES = 40
MOST_LINKS = 2
# What each name in braces stands for, as people who write texts are told.
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "title": "what happened, in a few words",
        "what": "the same in a sentence",
        "type": "the type, such as run_failed",
        "organization": "whose it is",
        "job": "the job",
        "schedule": "the schedule",
        "connection": "the connection",
        "service": "the service that is read",
        "tags": "tags, with commas between",
        "since": "since when",
        "until": "when it was over",
        "duration": "how long it took until it was over",
        "nth": "which failure in a row it is",
        "count": "how often it happened",
        "things": "how many schedules or jobs it concerns",
        "error": "what went wrong, as it was reported",
        "cause": "the likely cause",
        "to_do": "what to do about it",
        "next_try": "when it is tried again",
        "last_success": "when it last worked",
        "missed_slots": "how many slots were missed",
        "made_up": "how many of these were made up for",
        "lines": "the figures of a summary",
        "link": "the page to read on",
    }
)
_PLACES = {
    LinkKind.INCIDENT: ("/incidents/{id}", "Incident"),
    LinkKind.RUN: ("/runs/{id}", "Run"),
    LinkKind.SCHEDULE: ("/schedules/{id}", "Schedule"),
    LinkKind.JOB: ("/jobs/{id}", "Job"),
    LinkKind.CONNECTION: ("/connections/{id}", "Connection"),
    LinkKind.QUEUE: ("/queue", "Queue"),
    LinkKind.SYSTEM: ("/admin/system", "System"),
    LinkKind.OVERVIEW: ("/", "Overview"),
    LinkKind.CHANNELS: ("/notifications", "Notifications"),
}
_GOOD = {NotificationType.RECOVERED, NotificationType.RUN_SUCCEEDED}
_NOTES = (NEWS - _GOOD) | {NotificationType.DAILY_SUMMARY, NotificationType.CONNECTION_EXPIRING}


@dataclass(frozen=True)
class Press:
    """What messages of an installation have in common: where its pages are."""

    public_url: str

    def link(self, link: Link) -> MessageLink:
        path, words = _PLACES[link.kind]
        if link.id is None:
            # Of all of them, their list.
            path = path.removesuffix("/{id}")
        return MessageLink(first_words(link.words, longest=60) or words, self.public_url + path.format(id=link.id))


def write(facts: Facts, *, press: Press, now: datetime, text: MessageText | None = None) -> Content:
    """What the message says. `text` is the organization's own for this type."""
    facts = _clean(facts)
    links = tuple(press.link(link) for link in facts.links[:MOST_LINKS])
    content = Content(
        type=facts.type.value,
        tone=tone_of(facts),
        title=first_words(facts.title, longest=LONGEST_TITLE) or "Belfry",
        body=facts.what,
        rows=tuple(rows_of(facts, now=now)),
        links=links,
        organization=facts.organization,
    )
    if facts.lines:
        content = replace(content, body=bounded("\n".join(part for part in (facts.what, _lines(facts)) if part)))
    if text is None:
        return content
    values = values_of(facts, links=links, now=now)
    # Looked at once more as a whole: people may have written a secret into a text.
    title = without_secrets(fill_title(text.title, values)) or content.title
    return replace(content, title=title, body=without_secrets(fill_body(text.body, values)), rows=())


def can_be_worded(kind: DeliveryKind, type_: NotificationType) -> bool:
    """Whether an organization's own text for the type is meant for such a message.

    A test, several messages in one, and that something is over without having recovered say something else than what
    the text was written for.
    """
    if kind is DeliveryKind.RECOVERED:
        return type_ is NotificationType.RECOVERED
    return kind not in {DeliveryKind.TEST, DeliveryKind.DIGEST}


def shown_values(facts: Facts, *, press: Press, now: datetime) -> dict[str, str]:
    """The values that the names in a text would be replaced by."""
    links = tuple(press.link(link) for link in facts.links[:MOST_LINKS])
    return values_of(_clean(facts), links=links, now=now)


def tone_of(facts: Facts) -> Tone:
    """Whether it is good news."""
    if facts.kind is DeliveryKind.RECOVERED or facts.type in _GOOD:
        return Tone.GOOD
    if facts.kind in {DeliveryKind.SUMMARY, DeliveryKind.TEST} or facts.type in _NOTES:
        return Tone.NOTE
    return Tone.BAD


def rows_of(facts: Facts, *, now: datetime) -> list[tuple[str, str]]:
    """What is known, with the words for each, in the order in which somebody asks."""
    values = values_of(facts, links=(), now=now)
    wanted = (
        ("Since", values["since"]),
        ("Until", values["until"] and f"{values['until']} ({values['duration']})"),
        ("Failures in a row", values["nth"] if (facts.nth or 0) > 1 else ""),
        ("Happened", f"{facts.count:,} times" if facts.count > 1 else ""),
        ("Concerns", f"{facts.things:,} schedules or jobs" if facts.things > 1 else ""),
        ("Missed slots", _missed(facts)),
        ("Error", values["error"]),
        ("Likely cause", values["cause"]),
        ("What to do", values["to_do"]),
        ("Next try", values["next_try"]),
        ("Last success", values["last_success"]),
        ("Taken on", "somebody sees to it" if facts.is_acknowledged else ""),
    )
    return [(label, value) for label, value in wanted if value]


def values_of(facts: Facts, *, links: tuple[MessageLink, ...], now: datetime) -> dict[str, str]:
    """A value for every variable; empty where nothing is known."""
    moment = {name: _moment(getattr(facts, name), facts.zone, now) for name in ("since", "until")}
    return {
        **dict.fromkeys(VARIABLES, ""),
        **{name: value for name, value in facts.names.items() if name in VARIABLES},
        **moment,
        "title": facts.title,
        "what": facts.what,
        "type": facts.type.value,
        "organization": facts.organization,
        "service": facts.service or "",
        "tags": ", ".join(facts.tags),
        "duration": duration(facts.until - facts.since) if facts.since and facts.until else "",
        "nth": "" if facts.nth is None else str(facts.nth),
        "count": str(facts.count),
        "things": str(facts.things),
        "error": facts.error or "",
        "cause": facts.cause or "",
        "to_do": facts.to_do or "",
        "next_try": _moment(facts.next_try_at, facts.zone, now),
        "last_success": _moment(facts.last_success_at, facts.zone, now),
        "missed_slots": "" if facts.missed_slots is None else str(facts.missed_slots),
        "made_up": "" if facts.made_up is None else str(facts.made_up),
        "lines": _lines(facts),
        "link": links[0].url if links else "",
    }


def example_facts(type_: NotificationType, *, now: datetime, organization: str, zone: str) -> Facts:
    """Made-up facts of a type, with something in every variable: for previews and tests of a text."""
    is_over = type_ in _GOOD
    return Facts(
        type=type_,
        kind=DeliveryKind.RECOVERED if type_ is NotificationType.RECOVERED else DeliveryKind.OPENED,
        title=f"Example: {type_.value.replace('_', ' ')} · Meta ads, daily",
        what="This is an example. Nothing has happened.",
        since=now - timedelta(hours=2),
        until=now if is_over else None,
        nth=2,
        count=3,
        next_try_at=None if is_over else now + timedelta(minutes=10),
        last_success_at=now - timedelta(hours=26),
        error=None if is_over else "The service did not answer within 30 seconds.",
        cause=None if is_over else "The service is slow or away.",
        to_do=None if is_over else "Nothing yet: it is tried again by itself.",
        organization=organization,
        zone=zone,
        tags=("revenue",),
        service="meta",
        missed_slots=2,
        made_up=1,
        lines=("41 runs, 1 of them failed",) if type_ is NotificationType.DAILY_SUMMARY else (),
        links=(Link(LinkKind.OVERVIEW),),
        names={"job": "Meta ads", "schedule": "Meta ads, daily", "connection": "Acme EU"},
    )


def _clean(facts: Facts) -> Facts:
    """The facts without what looks like a secret or could steer who reads it, and nothing endless."""
    return replace(
        facts,
        title=_safe(facts.title),
        what=_safe(facts.what),
        error=_safe(facts.error),
        cause=_safe(facts.cause),
        to_do=_safe(facts.to_do),
        names={name: _safe(value) for name, value in facts.names.items()},
        lines=tuple(_safe(line) for line in facts.lines),
    )


def _safe(text: str | None) -> str:
    return without_secrets(visible(str(text or "")[: 2 * LONGEST_VALUE]))[:LONGEST_VALUE]


def _lines(facts: Facts) -> str:
    shown = facts.lines[:MOST_LINES]
    more = len(facts.lines) - len(shown)
    return "\n".join((*(f"– {line}" for line in shown), *((f"… and {more} more",) if more else ())))


def _missed(facts: Facts) -> str:
    if not facts.missed_slots:
        return ""
    made_up = "" if facts.made_up is None else f", {facts.made_up} made up for"
    return f"{facts.missed_slots}{made_up}"


def _moment(at: datetime | None, zone: str, now: datetime) -> str:
    return "" if at is None else zoned_time(at, zone=zone, now=now)
