"""Whose a schedule is: set by whoever may change it, and nobody's any more when that member leaves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Invalid
from app.events.changes import record_change
from app.events.service import Topic, append_event
from app.schedules.models import Schedule
from app.schedules.queries import ScheduleRow, get_schedule
from app.tenants.access import Actor, Permission, require
from app.tenants.audit import record
from app.tenants.roster import MemberNotFound, MemberRow, find_member, hold_member

# Stands for it in filters. No address is without an @.
NOBODY = "nobody"


class OwnerUnknown(Invalid):
    """The owner of a schedule is a member of its organization."""


class OwnerChanged(Conflict):
    """Somebody else gave the schedule to somebody meanwhile."""


def set_owner(session: Session, *, actor: Actor, schedule_id: UUID, owner_id: UUID | None, now: datetime) -> None:
    """Give a schedule to a member, or to nobody. Nothing happens where it is theirs already.

    Raises ScheduleNotFound, OwnerUnknown or OwnerChanged.
    """
    require(actor, Permission.EDIT_SCHEDULES)
    before = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    member = None if owner_id is None else _member(session, actor.organization_id, owner_id)
    if before.owner_id == owner_id:
        return
    email = None if member is None else member.email
    here = Schedule.id == schedule_id, Schedule.organization_id == actor.organization_id
    still = Schedule.owner_id.is_not_distinct_from(before.owner_id), Schedule.deleted_at.is_(None)
    query = update(Schedule).where(*here, *still).values(owner_id=owner_id, owner=email)
    if count_changed(session, query) != 1:
        raise OwnerChanged("Somebody else changed the owner just now. Look at it again, then choose.", field="owner")
    summary = f"Gave schedule “{before.name}” to {email or NOBODY}"
    changes = {"owner": [before.owner if before.owner_id else None, email]}
    record_change(
        session, actor=actor, topic=Topic.SCHEDULES, action="schedule.handed_over", subject_id=before.id,
        summary=summary, changes=changes, now=now,
    )  # fmt: skip


def member_id_of(session: Session, *, actor: Actor, email: str) -> UUID:
    """The member with an address. Raises OwnerUnknown, so that nobody learns here who is one elsewhere."""
    try:
        return find_member(session, organization_id=actor.organization_id, email=email).user_id
    except MemberNotFound as error:
        raise OwnerUnknown("No member of the organization has this address.", field="owner") from error


def refuse_other_owner(schedule: ScheduleRow, *, seen: UUID | None) -> None:
    """Raises OwnerChanged where a schedule belongs to somebody else than the person saw."""
    if schedule.owner_id != seen:
        words = f"Somebody else changed the owner meanwhile. The schedule belongs to {owner_words(schedule)}."
        raise OwnerChanged(f"{words} Choose again.", field="owner")


def leave_schedules(session: Session, *, actor: Actor, user_id: UUID, now: datetime) -> int:
    """Leave what somebody owned without an owner, and say how many that were. To be called once they are no member.

    Their address stays with each, so that pages can say whose it was.
    """
    here = actor.organization_id
    mine = Schedule.organization_id == here, Schedule.owner_id == user_id
    left = session.scalars(select(Schedule.id).where(*mine)).all()
    if not left:
        return 0
    session.execute(update(Schedule).where(*mine).values(owner_id=None))
    what = "1 schedule has" if len(left) == 1 else f"{len(left):,} schedules have"
    record(
        session, actor=actor, action="schedule.left_behind", subject_kind="user", subject_id=user_id,
        summary=f"{what} no owner any more", now=now,
    )  # fmt: skip
    # Of each, for the lists that are open.
    for schedule_id in left:
        append_event(
            session, organization_id=here, topic=Topic.SCHEDULES, kind="schedule.left_behind", subject_id=schedule_id,
            now=now,
        )  # fmt: skip
    return len(left)


def owner_words(schedule: ScheduleRow) -> str:
    """“ana@example.com”, “nobody”, or “nobody, since ana@example.com left”."""
    if schedule.owner_id is not None:
        return schedule.owner or ""
    return f"{NOBODY}, since {schedule.owner} left" if schedule.owner else NOBODY


def _member(session: Session, organization_id: UUID, user_id: UUID) -> MemberRow:
    try:
        # Held until this is committed: whoever leaves at the same time leaves this one behind, too.
        return hold_member(session, organization_id=organization_id, user_id=user_id)
    except MemberNotFound as error:
        raise OwnerUnknown("Choose a member of the organization, or nobody.", field="owner") from error
