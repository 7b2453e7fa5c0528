"""Appending facts. Whoever changes something calls this in the same transaction; readers come from above."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, delete, func, literal_column, select, tuple_
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.questions import Question
from app.events.models import SCHEDULE_REPAIRED, Event


class Topic(StrEnum):
    """What a fact is about; the pages watch topics."""

    RUNS = "runs"
    SCHEDULES = "schedules"
    JOBS = "jobs"
    CONNECTIONS = "connections"
    NOTIFICATIONS = "notifications"


def append_event(
    session: Session,
    *,
    organization_id: UUID,
    topic: Topic,
    kind: str,
    subject_id: UUID,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """Add one fact to the caller's transaction."""
    session.add(
        Event(
            organization_id=organization_id,
            topic=topic,
            kind=kind,
            subject_id=subject_id,
            data=data or {},
            at=now,
        )
    )


@dataclass(frozen=True)
class Repair:
    """What was mended of a schedule by itself, and when. Numbered in the order of time."""

    number: int
    at: datetime
    text: str


def list_repairs(
    session: Session,
    *,
    organization_id: UUID,
    schedule_id: UUID,
    limit: int,
    before: tuple[datetime, int] | None = None,
) -> list[Repair]:
    """The newest repairs of a schedule, if there are any, or those before the instant and number of one."""
    # The word is written into the statement: with a parameter the index of repairs is not used.
    is_repair = Event.kind == literal_column(f"'{SCHEDULE_REPAIRED}'")
    query = select(Event).where(Event.organization_id == organization_id, Event.subject_id == schedule_id, is_repair)
    if before is not None:
        query = query.where(tuple_(Event.at, Event.id) < before)
    found = session.scalars(query.order_by(Event.at.desc(), Event.id.desc()).limit(limit))
    return [Repair(event.id, event.at, str(event.data.get("text", ""))) for event in found]


def delete_events_before(session: Session, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` of the oldest facts, of all organizations, that are older than an instant."""
    # Ids grow with time, so the oldest stand first in the primary key, and no index on the time is needed.
    oldest = select(Event.id, Event.at).order_by(Event.id).limit(limit).subquery()
    old = select(oldest.c.id).where(oldest.c.at < before)
    return count_changed(session, delete(Event).where(Event.id.in_(old)).execution_options(synchronize_session=False))


def newest_kind(
    session: Session, *, organization_id: UUID, topic: Topic, subject_id: UUID, kinds: Collection[str]
) -> str | None:
    """Which of these happened to a thing last, of what is kept; None when none of them did."""
    mine = Event.organization_id == organization_id, Event.topic == topic.value, Event.subject_id == subject_id
    query = select(Event.kind).where(*mine, Event.kind.in_(kinds)).order_by(Event.id.desc()).limit(1)
    return session.scalar(query)


def newest_event_id(organization_id: UUID, topic: Topic) -> ScalarSelect[int | None]:
    """The highest event id of a topic, as part of a statement: one look at the end of an index."""
    mine = (Event.organization_id == organization_id, Event.topic == topic.value)
    return select(func.max(Event.id)).where(*mine).scalar_subquery()


def latest_event_id(session: Session, *, organization_id: UUID, topic: Topic) -> int:
    """The highest event id of one topic, 0 without any: what somebody who keeps what was read compares."""
    return session.scalar(select(newest_event_id(organization_id, topic))) or 0


def latest_event_ids(organization_id: UUID, topics: Sequence[Topic]) -> Question[tuple[int, ...]]:
    """The same of several topics, as a question."""
    query = select(*(newest_event_id(organization_id, topic).label(topic.value) for topic in topics))
    return Question(query, lambda rows: tuple(number or 0 for number in rows[0]))
