"""Leaving an organization: the membership, and what belonged to the member."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.schedules.owners import leave_schedules
from app.tenants import members
from app.tenants.access import Actor


def remove_member(session: Session, *, actor: Actor, user_id: UUID, now: datetime) -> int:
    """Take somebody out of the organization. Their schedules go on without an owner; says how many those are.

    Raises what `members.remove_member` raises.
    """
    members.remove_member(session, actor=actor, user_id=user_id, now=now)
    return leave_schedules(session, actor=actor, user_id=user_id, now=now)


def left_words(number: int) -> str:
    """What is left behind, as an answer says it; empty where nothing is."""
    if not number:
        return ""
    return "1 schedule has no owner any more." if number == 1 else f"{number:,} schedules have no owner any more."
