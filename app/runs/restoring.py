"""Bringing back what an older version of a schedule said. It is an edit, from the version the person sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.jobs.queries import JobNotFound
from app.runs.service import edit_schedule
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.said import draft_said, version_now
from app.schedules.saving import judge_edit
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
    draft = _wanted(schedule, found)
    with _said_of(found, draft):
        edit_schedule(
            session, actor=actor, schedule_id=schedule_id, draft=draft, version=version, now=now, restored_from=number
        )


def judge_restore(session: Session, schedule: ScheduleRow, version: VersionRow, *, now: datetime) -> ScheduleDraft:
    """What restoring would save. Raises what it would raise, and writes nothing."""
    draft = _wanted(schedule, version)
    with _said_of(version, draft):
        return judge_edit(session, before=schedule, draft=draft, version=schedule.version, now=now)


def _wanted(schedule: ScheduleRow, version: VersionRow) -> ScheduleDraft:
    if not what_restoring_changes(schedule, version):
        raise VersionNotRestorable(
            f"“{schedule.name}” says what version {version.number} said already. Nothing was changed."
        )
    return restored_draft(schedule, version)


@contextmanager
def _said_of(version: VersionRow, draft: ScheduleDraft) -> Iterator[None]:
    """Refusals of an edit, in the words of who restores."""
    try:
        yield
    except JobNotFound as error:
        raise VersionNotRestorable(
            f"The job that version {version.number} ran is deleted. Choose another version, or edit the schedule."
        ) from error
    except ScheduleNameTaken as error:
        raise VersionNotRestorable(
            f"Version {version.number} was called “{draft.name}”, and another schedule is called so now. "
            "Rename that one first."
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
