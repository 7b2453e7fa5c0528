"""What was held back, thought over at once where something that holds it ends early."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.notifications.models import Telling
from app.notifications.rules import HeldBy

# What waits because there is too much of it goes on waiting.
_ENDED_BY_PEOPLE = [held.value for held in HeldBy if held not in (HeldBy.FLOOD, HeldBy.EDIT)]


def think_over(session: Session, *, organization_id: UUID, now: datetime, rule_id: UUID | None = None) -> None:
    """Let the teller look again at what an organization, or one rule of it, holds back until some later time."""
    held = Telling.organization_id == organization_id, Telling.due_at > now, Telling.held_by.in_(_ENDED_BY_PEOPLE)
    query = update(Telling).where(*held).values(due_at=now)
    if rule_id is not None:
        query = query.where(Telling.rule_id == rule_id)
    session.execute(query.execution_options(synchronize_session=False))
