"""Who was told of an incident and when, and why nobody was: for its page and those of its runs. Reads only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, or_, select
from sqlalchemy.orm import Session

from app.core.questions import Question, ask_together
from app.notifications.cases import About
from app.notifications.incident_models import Incident
from app.notifications.incident_rows import IncidentRow, row_of
from app.notifications.meanings import failure_key
from app.notifications.models import Channel, Delivery, Rule, Telling
from app.notifications.rules import COUNTED, HeldBy, is_about
from app.notifications.sentences import ordinal
from app.notifications.signals import RunFacts, others_key, subject_of
from app.notifications.types import UNCHOSEN, ChannelState, DeliveryKind, DeliveryState, ScopeKind

# What first tells of trouble; everything else follows it.
_FIRST = (DeliveryKind.OPENED.value, DeliveryKind.REMINDER.value)
_MOST_MESSAGES = 200
SOON = "It is told within seconds."
STOOD_IN = "No rule tells of this. The channel that stands in for it is told where it breaks: see the delivery log."
_HELD_WORDS = {
    HeldBy.SNOOZE: "it is snoozed",
    HeldBy.MAINTENANCE: "it is a time of maintenance",
    HeldBy.QUIET: "these are quiet hours",
    HeldBy.COOLDOWN: "the same was told before, and its rule waits between two messages",
    HeldBy.FLOOD: "the channel was told enough for now",
}


class How(StrEnum):
    """What became of telling one channel."""

    TOLD = "told"
    WAITING = "waiting"  # its message is written, and about to be sent
    FAILING = "failing"  # it did not arrive, and is tried again
    LOST = "lost"  # it did not arrive, and is not tried again
    HELD = "held"  # until some time


@dataclass(frozen=True)
class ToldLine:
    """One channel: when it was told, when it is tried again, or until when nothing is told there, and why."""

    channel: str
    how: How
    at: datetime | None = None
    why: str = ""


@dataclass(frozen=True)
class ToldOf:
    """All channels, those first that were told first. `why_nobody` is a sentence where there are none."""

    lines: tuple[ToldLine, ...] = ()
    why_nobody: str = ""

    @property
    def is_nobody(self) -> bool:
        """Whether nobody is told, and will be."""
        return bool(self.why_nobody) and self.why_nobody not in (SOON, STOOD_IN)


def incident_of_run(
    session: Session, *, organization_id: UUID, run: RunFacts, error_class: str | None, failed_at: datetime
) -> IncidentRow | None:
    """The incident that a failed run belongs to, while it is kept. One statement."""
    keys = {failure_key(run, run.cause, error_class), others_key(subject_of(run))}
    lasted = Incident.opened_at <= failed_at, or_(Incident.closed_at.is_(None), Incident.closed_at >= failed_at)
    mine = Incident.organization_id == organization_id, Incident.cause_key.in_(keys)
    found = session.scalars(select(Incident).where(*mine, *lasted).order_by(Incident.opened_at.desc()).limit(1)).first()
    return None if found is None else row_of(found)


def read_told(session: Session, *, organization_id: UUID, incident: IncidentRow) -> ToldOf:
    """Who was told of an incident. One statement."""
    messages, tellings, channels, rules, about = ask_together(
        session,
        _messages(organization_id, incident.id),
        _tellings(organization_id, incident.id),
        _channels(organization_id),
        _rules(organization_id),
        _about(organization_id, incident.id),
    )
    lines = {line.channel: line for line in _of_tellings(tellings, incident)}
    lines |= {line.channel: line for line in _of_messages(messages)}
    if lines:
        return ToldOf(tuple(sorted(lines.values(), key=lambda line: (line.how is not How.TOLD, str(line.at or "")))))
    return ToldOf(why_nobody=_why_nobody(incident, channels, rules, about))


def _messages(organization_id: UUID, incident_id: UUID) -> Question[Sequence[Any]]:
    columns = Delivery.state, Delivery.sent_at, Delivery.created_at, Delivery.next_try_at, Delivery.last_error
    query = select(Delivery.channel_id, Channel.name, *columns).join(
        Channel, (Channel.id == Delivery.channel_id) & (Channel.organization_id == Delivery.organization_id)
    )
    mine = Delivery.organization_id == organization_id, Delivery.incident_id == incident_id
    order = Delivery.created_at, Delivery.id
    return Question(query.where(*mine, Delivery.kind.in_(_FIRST)).order_by(*order).limit(_MOST_MESSAGES), list)


def _tellings(organization_id: UUID, incident_id: UUID) -> Question[Sequence[Any]]:
    columns = Telling.told_at, Telling.due_at, Telling.held_by
    query = select(Channel.name, *columns).join(
        Channel, (Channel.id == Telling.channel_id) & (Channel.organization_id == Telling.organization_id)
    )
    mine = Telling.organization_id == organization_id, Telling.incident_id == incident_id
    return Question(query.where(*mine).limit(_MOST_MESSAGES), list)


def _channels(organization_id: UUID) -> Question[dict[UUID, str]]:
    there = Channel.organization_id == organization_id, Channel.deleted_at.is_(None)
    return Question(select(Channel.id, Channel.state).where(*there), lambda rows: {row.id: row.state for row in rows})


def _rules(organization_id: UUID) -> Question[Sequence[Any]]:
    lists = cast(Rule.types, String).label("types"), cast(Rule.channel_ids, String).label("channel_ids")
    columns = Rule.scope_kind, Rule.scope_value, Rule.after_failures, Rule.created_at
    mine = Rule.organization_id == organization_id, Rule.deleted_at.is_(None), Rule.is_enabled
    return Question(select(*lists, *columns).where(*mine), list)


def _about(organization_id: UUID, incident_id: UUID) -> Question[About]:
    mine = Incident.organization_id == organization_id, Incident.id == incident_id
    query = select(cast(Incident.facts, String).label("facts")).where(*mine)
    return Question(query, lambda rows: About(**json.loads(rows[0].facts).get("about", {})) if rows else About())


def _of_messages(rows: Sequence[Any]) -> list[ToldLine]:
    """The first message of each channel that arrived; where none did, the last one."""
    found: dict[UUID, ToldLine] = {}
    for row in rows:
        before = found.get(row.channel_id)
        if before is None or before.how is not How.TOLD:
            found[row.channel_id] = _of_message(row)
    return list(found.values())


def _of_message(row: Any) -> ToldLine:
    match DeliveryState(row.state):
        case DeliveryState.SENT:
            return ToldLine(row.name, How.TOLD, row.sent_at or row.created_at)
        case DeliveryState.PENDING | DeliveryState.SENDING:
            return ToldLine(row.name, How.WAITING)
        case DeliveryState.FAILED:
            return ToldLine(row.name, How.FAILING, row.next_try_at, row.last_error or "")
        case DeliveryState.GIVEN_UP | DeliveryState.SUPPRESSED:
            return ToldLine(row.name, How.LOST, None, row.last_error or "")


def _of_tellings(rows: Sequence[Any], incident: IncidentRow) -> list[ToldLine]:
    """What is held back, and what a message told that spoke of several incidents."""
    found = []
    for row in rows:
        # What was told before it began was told of another time that the same went wrong.
        if row.told_at is not None and row.told_at >= incident.opened_at:
            found.append(ToldLine(row.name, How.TOLD, row.told_at, "with others in one message"))
        elif incident.is_open and row.due_at is not None and row.held_by in _HELD_WORDS:
            found.append(ToldLine(row.name, How.HELD, row.due_at, _HELD_WORDS[HeldBy(row.held_by)]))
    return found


def _why_nobody(incident: IncidentRow, channels: dict[UUID, str], rules: Sequence[Any], about: About) -> str:
    if incident.type in UNCHOSEN:
        return STOOD_IN
    used = {str(id_) for id_, state in channels.items() if state != ChannelState.OFF.value}
    speaking = [rule for rule in rules if incident.type.value in json.loads(rule.types) and _is_about(rule, about)]
    heard = [rule for rule in speaking if used & set(json.loads(rule.channel_ids))]
    needed = (
        (channels, "There is no channel to tell it by."),
        (rules, "No rule is in use."),
        (speaking, "No rule in use tells of this."),
        (heard, "The channels of its rules are off or deleted."),
    )
    return next((words for there, words in needed if not there), "") or _why_not_told(incident, heard)


def _why_not_told(incident: IncidentRow, rules: Sequence[Any]) -> str:
    least = min(rule.after_failures for rule in rules)
    if incident.type in COUNTED and incident.most_in_a_row < least:
        return f"Its rules tell from the {ordinal(least)} failure in a row on."
    if all(rule.created_at > incident.last_at for rule in rules):
        return "Its rules were made after it last happened."
    if incident.acknowledged_by is not None:
        return f"{incident.acknowledged_by} saw to it before anybody was told."
    return SOON if incident.is_open else "It was over before it could be told."


def _is_about(rule: Any, about: About) -> bool:
    return is_about(ScopeKind(rule.scope_kind), rule.scope_value, about)
