"""Commands on schedules. Those that concern slots already due go through `runs.service`, which plans them first."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Update, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Invalid
from app.core.ids import new_id
from app.events.changes import record_change
from app.events.service import Topic
from app.schedules.code_origin import refuse_deletion, refuse_left
from app.schedules.draft import ScheduleDraft, completed
from app.schedules.fire_times import Rhythm, next_fire
from app.schedules.gaps import record_gap
from app.schedules.models import Schedule
from app.schedules.policies import GapReason
from app.schedules.queries import ScheduleNotFound, ScheduleRow, get_schedule
from app.schedules.saving import (
    LONGEST_NAME,
    ScheduleChanged,
    ScheduleInvalid,
    ScheduleNameTaken,
    columns_of,
    edited_columns,
)
from app.schedules.silence import keeps_missed
from app.schedules.slot_accounts import NOTHING_MADE_UP, MadeUp
from app.schedules.stored_rhythms import rhythm_of
from app.schedules.versions import differences_of, keep_version, write_version
from app.tenants.access import Actor, Permission, require

__all__ = [
    "LONGEST_NAME", "ScheduleChanged", "ScheduleDraft", "ScheduleInvalid", "ScheduleIsDefault", "ScheduleNameTaken",
    "create_schedule", "edit_schedule", "mark_deleted", "rhythm_of", "switch_schedule",
]  # fmt: skip


class ScheduleIsDefault(Conflict):
    """Every organization keeps the default schedule of each service."""


def create_schedule(session: Session, *, actor: Actor, draft: ScheduleDraft, now: datetime, origin: str = "") -> UUID:
    """Make a schedule. Raises ScheduleInvalid, CronInvalid, UnknownZone, JobNotFound or ScheduleNameTaken."""
    require(actor, Permission.EDIT_SCHEDULES)
    draft = completed(draft, now=now)
    columns = columns_of(session, organization_id=actor.organization_id, draft=draft, now=now)
    schedule = Schedule(
        id=new_id(),
        organization_id=actor.organization_id,
        enabled=draft.enabled,
        next_run_at=next_fire(rhythm_of(draft), after=now),
        switched_at=now,
        switched_by=actor.label,
        # A program acts for a person, whose schedule it is.
        made_by=(maker := actor.label.partition(" (token ")[0]),
        owner_id=actor.user_id,
        owner=None if actor.user_id is None else maker,
        created_at=now,
        updated_at=now,
        **columns,
    )
    session.add(schedule)
    try:
        # The unique index decides; a look before the insert could be overtaken.
        session.flush()
    except IntegrityError as error:
        raise ScheduleNameTaken(draft.name) from error
    write_version(session, schedule_id=schedule.id, by=actor.label, now=now)
    _note(session, actor, schedule.id, "created", f"Created schedule “{columns['name']}”{origin}", now, {})
    return schedule.id


def edit_schedule(
    session: Session, *, actor: Actor, schedule_id: UUID, draft: ScheduleDraft, version: int, now: datetime,
    made_up: MadeUp = NOTHING_MADE_UP, restored_from: int | None = None,
) -> None:  # fmt: skip
    """Change a schedule from the version the person saw; its cursor moves to the first slot of the new rhythm.

    Where it stays off and its times stay, what it missed meanwhile still waits for whoever switches it on.
    Expects that slots due up to now are planned already. Raises ScheduleChanged besides what creating raises.
    """
    require(actor, Permission.EDIT_SCHEDULES)
    before = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    draft = completed(draft, now=now)
    columns = edited_columns(session, before=before, draft=draft, now=now)
    overrides = () if before.code is None else before.code.overrides_of(columns)
    keep_version(session, schedule_id=schedule_id)
    when = rhythm_of(draft)
    is_kept = not draft.enabled and keeps_missed(before, when, now=now)
    if not is_kept:
        _account_for_silence(session, before, when, now)
    query = (
        update(Schedule)
        .where(
            Schedule.id == schedule_id,
            Schedule.organization_id == actor.organization_id,
            Schedule.version == version,
        )
        .values(
            **columns,
            **_switched(before, draft.enabled, actor, now),
            code_overrides=",".join(overrides),
            problem=None,
            next_run_at=before.cursor if is_kept else next_fire(when, after=now),
            version=version + 1,
            updated_at=now,
        )
    )
    _save(session, query, draft)
    write_version(session, schedule_id=schedule_id, by=actor.label, now=now, restored_from=restored_from)
    found = differences_of(before, columns | {"enabled": draft.enabled})
    changes = {change.field: [_plain(change.before), _plain(change.after)] for change in found}
    is_restored = restored_from is not None
    words = f"Restored version {restored_from} of" if is_restored else "Changed"
    summary = f"{words} schedule “{before.name}”{_made_up_words(made_up)}"
    _note(session, actor, schedule_id, "restored" if is_restored else "edited", summary, now, changes)


def switch_schedule(
    session: Session,
    *,
    actor: Actor,
    schedule_id: UUID,
    enabled: bool,
    now: datetime,
    made_up: MadeUp = NOTHING_MADE_UP,
) -> None:
    """Switch a schedule on or off. Slots that passed while it was off are recorded as a gap when it comes back.

    `made_up` says of how many of them somebody made runs before.
    """
    require(actor, Permission.EDIT_SCHEDULES)
    before = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    refuse_switch(before, enabled=enabled)
    # A new version: an edit form that was opened before must not silently switch it back.
    values: dict[str, Any] = {"updated_at": now, "version": before.version + 1}
    values |= _switched(before, enabled, actor, now)
    if enabled and not before.enabled:
        when = rhythm_of(before)
        _account_for_silence(session, before, when, now)
        values |= {"next_run_at": next_fire(when, after=now), "problem": None}
    query = update(Schedule).where(Schedule.id == schedule_id, Schedule.enabled == (not enabled)).values(**values)
    # A second click finds it switched already: that is what was asked for, and no second fact.
    keep_version(session, schedule_id=schedule_id)
    if count_changed(session, query) == 1:
        write_version(session, schedule_id=schedule_id, by=actor.label, now=now)
        verb = "enabled" if enabled else "disabled"
        summary = f"{verb.capitalize()} schedule “{before.name}”{_made_up_words(made_up)}"
        _note(session, actor, schedule_id, verb, summary, now, {"enabled": [before.enabled, enabled]})


def refuse_loss(schedule: ScheduleRow) -> None:
    """Raises ScheduleIsDefault or ScheduleOwnedByCode for a schedule that nobody can delete."""
    if schedule.default_for is not None:
        raise ScheduleIsDefault(
            f"“{schedule.name}” is the default schedule of its service and stays. Disable it instead of deleting it."
        )
    refuse_deletion(schedule.code)


def refuse_switch(schedule: ScheduleRow, *, enabled: bool) -> None:
    """Raises ScheduleOwnedByCode, or what is wrong with its text, for one that cannot be switched so."""
    refuse_left(schedule.code)
    if enabled and not schedule.enabled:
        rhythm_of(schedule)


def mark_deleted(session: Session, *, actor: Actor, schedule_id: UUID, now: datetime) -> None:
    """Take a schedule out of every list; `deleted.bring_back` undoes that. Its runs stay. Raises ScheduleIsDefault."""
    require(actor, Permission.EDIT_SCHEDULES)
    before = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    refuse_loss(before)
    query = update(Schedule).where(Schedule.id == schedule_id, Schedule.deleted_at.is_(None))
    # What is deleted counts as off wherever somebody forgets to ask; what it was before comes back with it.
    values = {"deleted_at": now, "deleted_by": actor.label, "was_enabled": before.enabled, "enabled": False}
    if count_changed(session, query.values(**values)) != 1:
        raise ScheduleNotFound("There is no such schedule here any more: somebody deleted it a moment ago.")
    _note(session, actor, schedule_id, "deleted", f"Deleted schedule “{before.name}”", now, {})


def _account_for_silence(session: Session, before: ScheduleRow, when: Rhythm, now: datetime) -> None:
    """Slots that passed while the schedule was off or was set aside become a gap."""
    if before.enabled and before.problem is None:
        return
    with suppress(Invalid):
        # Only what cannot be read any more is counted by the new rhythm.
        when = rhythm_of(before)
    reason = GapReason.UNREADABLE if before.problem else GapReason.PAUSED
    record_gap(session, schedule=before, when=when, since=before.cursor, until=now, reason=reason, now=now)


def _switched(before: ScheduleRow, enabled: bool, actor: Actor, now: datetime) -> dict[str, Any]:
    if before.enabled == enabled:
        return {"enabled": enabled}
    return {"enabled": enabled, "switched_at": now, "switched_by": actor.label}


def _made_up_words(made_up: MadeUp) -> str:
    if not made_up.slots:
        return ""
    which = f"{'the latest slot' if made_up.slots == 1 else f'the newest {made_up.slots} slots'} that it had missed"
    return f" and ran {which}" if made_up.why_skipped is None else f" and skipped {which}: {made_up.why_skipped}"


def _save(session: Session, query: Update, draft: ScheduleDraft) -> None:
    try:
        changed = count_changed(session, query)
    except IntegrityError as error:
        raise ScheduleNameTaken(draft.name) from error
    if changed != 1:
        raise ScheduleChanged


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _note(
    session: Session,
    actor: Actor,
    schedule_id: UUID,
    verb: str,
    summary: str,
    now: datetime,
    changes: dict[str, Any],
) -> None:
    record_change(
        session, actor=actor, topic=Topic.SCHEDULES, action=f"schedule.{verb}", subject_id=schedule_id,
        summary=summary, now=now, changes=changes,
    )  # fmt: skip
