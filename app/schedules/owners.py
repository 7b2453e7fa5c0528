"""Whose a schedule is: set by whoever may change it, and nobody's any more when that member leaves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Invalid
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
    changes: dict[str, object] = {"owner": [before.owner if before.owner_id else None, email]}
    _note(session, actor, before.id, "handed_over", summary, now, changes)


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
    mine = Schedule.organization_id == actor.organization_id, Schedule.owner_id == user_id
    number = count_changed(session, update(Schedule).where(*mine).values(owner_id=None))
    if number:
        what = "1 schedule has" if number == 1 else f"{number:,} schedules have"
        _note(session, actor, user_id, "left_behind", f"{what} no owner any more", now, {}, kind="user")
    return number


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


def _note(
    session: Session, actor: Actor, subject_id: UUID, verb: str, summary: str, now: datetime,
    changes: dict[str, object], *, kind: str = "schedule",
) -> None:  # fmt: skip
    action = f"schedule.{verb}"
    record(
        session, actor=actor, action=action, subject_kind=kind, subject_id=subject_id, summary=summary,
        changes=changes, now=now,
    )  # fmt: skip
    append_event(
        session, organization_id=actor.organization_id, topic=Topic.SCHEDULES, kind=action, subject_id=subject_id,
        now=now,
    )  # fmt: skip
