"""What those who look after the installation do to schedules and jobs that code defines.

Sessions work as the installation's own organization; every command demands a platform admin.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.names import has_unshowable
from app.events.changes import record_change
from app.events.service import Topic
from app.jobs.given_arguments import GivenArguments
from app.jobs.kinds.base import JobKinds
from app.ops.code_rows import CodeScheduleNotFound, find_code_schedule, get_code_job, get_code_schedule
from app.runs import service as runs
from app.schedules.clock_changes import ClockChange
from app.schedules.code_origin import OVERRIDABLE, refuse_left
from app.schedules.draft import completed
from app.schedules.drafts import draft_of
from app.schedules.models import Schedule
from app.schedules.policies import Missed, Overlap
from app.schedules.queries import get_schedule, lock_schedule
from app.schedules.slot_accounts import MadeUp
from app.schedules.versions import keep_version, write_version
from app.tenants.access import Actor
from app.tenants.models import SYSTEM_ORGANIZATION_ID
from app.tenants.platform import require_platform_admin

LONGEST_NOTES = 2_000
_TYPES: dict[str, Callable[[Any], Any]] = {
    "clock_change": ClockChange,
    "missed": Missed,
    "overlap": Overlap,
    "tags": tuple,
}


class NotesInvalid(Invalid):
    """The notes cannot be kept."""


def switch_code_schedule(
    session: Session, *, actor: Actor, code_id: str, enabled: bool, now: datetime, missed: Missed = Missed.SKIP,
    seen: int | None = None,
) -> MadeUp:  # fmt: skip
    """Switch one on or off. `missed` says what becomes of the slots that it missed while it was off.

    Returns what became of those that are wanted. Raises CodeScheduleNotFound, or ScheduleOwnedByCode when the code has
    it no longer.
    """
    require_platform_admin(actor)
    return runs.switch_schedule(
        session, actor=actor, schedule_id=_id_of(session, code_id), enabled=enabled, now=now, missed=missed, seen=seen
    )


def run_code_schedule(
    session: Session,
    *,
    actor: Actor,
    kinds: JobKinds,
    code_id: str,
    arguments: Mapping[str, Any],
    request_key: str,
    now: datetime,
) -> UUID:
    """Start what one starts, now. Raises DefinitionInvalid for parameters that do not fit. Returns the run's id."""
    require_platform_admin(actor)
    row = get_code_schedule(session, code_id=code_id, now=now)
    refuse_left(row.code)
    return runs.run_schedule_now(
        session,
        actor=actor,
        schedule_id=row.schedule.id,
        request_key=request_key,
        given=GivenArguments(arguments, kinds),
        now=now,
    )


def run_code_job(
    session: Session,
    *,
    actor: Actor,
    kinds: JobKinds,
    code_name: str,
    arguments: Mapping[str, Any],
    request_key: str,
    now: datetime,
) -> UUID:
    """Start a job now. Raises CodeJobNotFound, or DefinitionInvalid for parameters that do not fit."""
    require_platform_admin(actor)
    job = get_code_job(session, code_name=code_name).job
    given = GivenArguments(arguments, kinds)
    return runs.run_job_now(session, actor=actor, job_id=job.id, request_key=request_key, given=given, now=now)


def change_code_schedule(
    session: Session, *, actor: Actor, code_id: str, changes: Mapping[str, Any], now: datetime
) -> None:
    """Say otherwise than the code when one runs, and by which policies. Raises what editing a schedule raises."""
    require_platform_admin(actor)
    schedule_id = _id_of(session, code_id)
    lock_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    # A maximum age that somebody said does not grow unsaid with the times: whoever changes them hears of it.
    draft = completed(replace(draft_of(row), **changes), now=now)
    runs.edit_schedule(session, actor=actor, schedule_id=row.id, draft=draft, version=row.version, now=now)


def revert_code_schedule(session: Session, *, actor: Actor, code_id: str, now: datetime) -> bool:
    """Have it again as the code says it. False when it is so already. Whether it is on stays as it is."""
    origin = get_code_schedule(session, code_id=code_id, now=now).code
    said = {name: origin.says[name] for name in OVERRIDABLE if name in origin.overrides and name in origin.says}
    changes = {name: _TYPES[name](value) if name in _TYPES else value for name, value in said.items()}
    if changes:
        change_code_schedule(session, actor=actor, code_id=code_id, changes=changes, now=now)
    return bool(changes)


def write_notes(session: Session, *, actor: Actor, code_id: str, notes: str, now: datetime) -> None:
    """Keep what operators want each other to know.

    Raises NotesInvalid, CodeScheduleNotFound, or ScheduleOwnedByCode when the code has it no longer.
    """
    require_platform_admin(actor)
    said = notes.replace("\r\n", "\n").strip()
    if len(said) > LONGEST_NOTES:
        raise NotesInvalid(f"The notes are too long. Use at most {LONGEST_NOTES:,} characters.", field="notes")
    if has_unshowable(said, besides="\n\t"):
        raise NotesInvalid("The notes contain characters that cannot be shown. Type them again.", field="notes")
    schedule_id = _id_of(session, code_id)
    # It cannot leave the code meanwhile.
    lock_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    refuse_left(get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id).code)
    keep_version(session, schedule_id=schedule_id)
    values: dict[str, Any] = {"notes": said, "updated_at": now, "version": Schedule.version + 1}
    session.execute(update(Schedule).where(Schedule.id == schedule_id).values(values))
    write_version(session, schedule_id=schedule_id, by=actor.label, now=now)
    record_change(
        session, actor=actor, topic=Topic.SCHEDULES, action="schedule.noted", subject_id=schedule_id,
        summary=f"Changed the notes of “{code_id}”", now=now,
    )  # fmt: skip


def _id_of(session: Session, code_id: str) -> UUID:
    here = Schedule.organization_id == SYSTEM_ORGANIZATION_ID, Schedule.code_id == code_id
    found = session.scalar(select(Schedule.id).where(*here, Schedule.deleted_at.is_(None)))
    # By its name alone, never by an id that looks like one.
    if found is None or find_code_schedule(session, code_id) != found:
        raise CodeScheduleNotFound("The code defines no such schedule.")
    return found
