"""One pass of the teller: events to incidents, rules and deliveries, in one transaction. Works as ENGINE."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.db import OUTAGES
from app.core.failures import explain
from app.core.text import storable
from app.notifications import cursor
from app.notifications.filling import Filling
from app.notifications.incident_models import Incident
from app.notifications.lookups import run_facts, thing_facts, worth_reading
from app.notifications.made_up import MOST_AT_ONCE, count_missed
from app.notifications.meanings import THOUGHT_OVER, signals_of
from app.notifications.models import BadEvent, Telling
from app.notifications.mutes import end_by_success, waiting_for_success
from app.notifications.shelf import read_book, read_cases, write_book
from app.notifications.signals import EventFacts, News, Relief, Signal, Trouble
from app.notifications.summary import is_summary_due, write_summaries
from app.notifications.tellings import find_due
from app.notifications.types import IncidentState

log = logging.getLogger(__name__)

_MOST_REMINDED = 500


@dataclass(frozen=True)
class Pass:
    """How many events were read, how many messages written, and whether more is waiting."""

    events: int = 0
    messages: int = 0
    is_full: bool = False


def read_events(session: Session, *, now: datetime, is_careful: bool = False) -> Pass:
    """Take the next events and do what follows from them. With care, one that cannot be is set aside."""
    batch = cursor.take_events(session, now=now)
    if batch is None:
        return Pass()
    if not is_careful:
        return Pass(len(batch.events), _follow(session, batch.events, now), batch.is_full)
    messages = sum(_guarded(session, event, now) for event in batch.events)
    return Pass(len(batch.events), messages, batch.is_full)


def is_anything_due(session: Session, *, now: datetime) -> bool:
    """Whether `look_again` would find anything: a look that needs no lock."""
    held = select(Telling.rule_id).where(Telling.due_at.is_not(None), Telling.due_at <= now).limit(1)
    return (
        session.scalar(held) is not None
        or session.scalar(select(Incident.id).where(*_is_to_remind(now)).limit(1)) is not None
        or is_summary_due(session, now=now)
    )


def look_again(session: Session, *, now: datetime) -> int:
    """Tell what was held back until now, and remind of what is still open. Returns how many messages were written."""
    filling = Filling(session, now=now)
    tellings = find_due(session, now=now)
    if tellings:
        filling.add_due(tellings)
    ids = session.scalars(
        select(Incident.id)
        .where(*_is_to_remind(now))
        .order_by(Incident.next_reminder_at)
        .limit(_MOST_REMINDED)
        .with_for_update(skip_locked=True)
    ).all()
    cases = read_cases(session, ids) if ids else []
    filling.add_reminders(cases)
    written = filling.write()
    write_book(session, cases)
    return written + write_summaries(session, now=now)


def _is_to_remind(now: datetime) -> tuple[ColumnElement[bool], ...]:
    is_due = Incident.next_reminder_at.is_not(None), Incident.next_reminder_at <= now
    return *is_due, Incident.state == IncidentState.OPEN.value


def _follow(session: Session, events: Sequence[EventFacts], now: datetime) -> int:
    wanted = worth_reading(session, events, also_in=waiting_for_success(session, now=now))
    if not wanted:
        return 0
    runs, things = run_facts(session, wanted), thing_facts(session, wanted)
    signals: list[Signal] = []
    for event in wanted:
        try:
            signals += signals_of(event, runs.get(event.subject_id), things.get(event.subject_id))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _set_aside(session, event, error, now)
    return _tell(session, signals, now, again={event.subject_id for event in wanted if event.kind == THOUGHT_OVER})


def _tell(session: Session, signals: Sequence[Signal], now: datetime, *, again: Collection[UUID] = ()) -> int:
    lasting = [signal for signal in signals if isinstance(signal, Trouble | Relief)]
    news = [signal for signal in signals if isinstance(signal, News)]
    book = read_book(session, lasting, now=now)
    for signal in lasting:
        book.apply(signal)
    changed = list(book.changed())
    # First those that are over for good: a cause has one incident at a time.
    changed.sort(key=lambda case: case.is_open)
    for case in [case for case in changed if not case.is_open][:MOST_AT_ONCE]:
        count_missed(session, case)
    # Before anything is thought over: what they held back until now is held no longer.
    end_by_success(session, [signal for signal in lasting if isinstance(signal, Relief)], now=now)
    filling = Filling(session, now=now)
    filling.add_cases(changed)
    filling.add_news(news)
    write_book(session, changed)
    # Nobody may have been told of them, because somebody saw to them.
    filling.add_cases(read_cases(session, set(again) - {case.id for case in changed}))
    return filling.write()


def _guarded(session: Session, event: EventFacts, now: datetime) -> int:
    try:
        with session.begin_nested():
            return _follow(session, [event], now)
    except OUTAGES:
        raise
    except Exception as error:
        log.exception("an event cannot be told", extra={"event_id": event.id, "kind": event.kind})
        _set_aside(session, event, error, now)
        return 0


def _set_aside(session: Session, event: EventFacts, error: Exception, now: datetime) -> None:
    problem = storable(explain(error) or f"{type(error).__name__}: {error}")[:2_000]
    log.error("an event is set aside", extra={"event_id": event.id, "kind": event.kind, "problem": problem})
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {
        "event_id": event.id, "organization_id": event.organization_id, "kind": event.kind, "problem": problem,
        "at": now,
    }  # fmt: skip
    session.execute(make(BadEvent).values(**row).on_conflict_do_nothing())
