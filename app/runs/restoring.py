"""Bringing back what an older version of a schedule said. It is an edit, from the version the person sees."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.jobs.queries import JobNotFound
from app.runs.service import edit_schedule
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.said import draft_said, version_now
from app.schedules.service import ScheduleDraft, ScheduleNameTaken
from app.schedules.versions import Difference, VersionRow, differences, get_version
from app.tenants.access import Actor, Permission, require


class VersionNotRestorable(Conflict):
    """What the version said cannot be any more."""


def restore_schedule(
    session: Session, *, actor: Actor, schedule_id: UUID, number: int, version: int, now: datetime
) -> None:
    """Let a schedule say again what it said in a version; whether it is on stays as it is.

    Raises VersionNotFound, VersionNotRestorable, and what an edit raises.
    """
    require(actor, Permission.EDIT_SCHEDULES)
    schedule = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    found = get_version(session, organization_id=actor.organization_id, schedule_id=schedule_id, number=number)
    if not what_restoring_changes(schedule, found):
        raise VersionNotRestorable(f"“{schedule.name}” says what version {number} said already. Nothing was changed.")
    draft = restored_draft(schedule, found)
    try:
        edit_schedule(
            session, actor=actor, schedule_id=schedule_id, draft=draft, version=version, now=now, restored_from=number
        )
    except JobNotFound as error:
        raise VersionNotRestorable(
            f"The job that version {number} ran is deleted. Choose another version, or edit the schedule."
        ) from error
    except ScheduleNameTaken as error:
        raise VersionNotRestorable(
            f"Version {number} was called “{draft.name}”, and another schedule is called so now. Rename that one first."
        ) from error


def restored_draft(schedule: ScheduleRow, version: VersionRow) -> ScheduleDraft:
    """What a version said, as it would be asked for now. Raises VersionNotRestorable."""
    try:
        # Bringing back old times is no reason to start or to stop anything.
        return replace(draft_said(version.says), enabled=schedule.enabled)
    except ValueError as error:
        raise VersionNotRestorable(f"Version {version.number} cannot be read by this version of Belfry.") from error


def what_restoring_changes(schedule: ScheduleRow, version: VersionRow) -> tuple[Difference, ...]:
    """What a schedule says otherwise than a version did, the switch aside."""
    now = version_now(schedule).says
    found = differences(now, version.says)
    return tuple(each for each in found if each.field in now and each.field != "enabled")
