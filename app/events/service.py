"""Appending facts. Whoever changes something calls this in the same transaction; readers come from above."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.events.models import Event


class Topic(StrEnum):
    """What a fact is about; the pages watch topics."""

    RUNS = "runs"
    SCHEDULES = "schedules"
    JOBS = "jobs"


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


def latest_event_ids(session: Session, *, organization_id: UUID) -> dict[Topic, int]:
    """The highest event id of each topic, 0 for a topic without events: what a page compares to see news."""
    # One look at the end of an index for each topic; grouping would read every event of the organization.
    highest = [
        select(func.max(Event.id))
        .where(Event.organization_id == organization_id, Event.topic == topic.value)
        .scalar_subquery()
        for topic in Topic
    ]
    found = session.execute(select(*highest)).one()
    return {topic: number or 0 for topic, number in zip(Topic, found, strict=True)}
