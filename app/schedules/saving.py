"""What saving a schedule accepts, and what is stored of it: asked by commands, and by whoever tells what they do."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid
from app.core.names import NameInvalid, clean_name
from app.jobs.queries import get_job
from app.schedules.acceptance import refuse_never
from app.schedules.code_origin import refuse_fixed
from app.schedules.day_minutes import minutes_of
from app.schedules.draft import ScheduleDraft, completed
from app.schedules.fire_times import Rhythm
from app.schedules.models import Schedule
from app.schedules.policy_fields import clean_limit, clean_max_age, clean_notes
from app.schedules.queries import ScheduleRow
from app.schedules.stored_rhythms import is_same_rhythm, rhythm_of
from app.schedules.tags import clean_tags

LONGEST_NAME = 120


class ScheduleInvalid(Invalid):
    """A field of the schedule cannot be accepted."""


class ScheduleNameTaken(Conflict):
    """Another schedule of the organization has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A schedule called “{name.strip()}” exists already. Choose another name.", field="name")


class ScheduleChanged(Conflict):
    """The schedule is no longer what the person saw."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody else changed this schedule meanwhile, so nothing was saved. "
            "Reload the page to see the newest version."
        )


def columns_of(
    session: Session, *, organization_id: UUID, draft: ScheduleDraft, now: datetime, before: ScheduleRow | None = None
) -> dict[str, Any]:
    """What is stored of a draft that is complete. Raises ScheduleInvalid, CronInvalid, UnknownZone or JobNotFound."""
    try:
        name = clean_name(draft.name, noun="schedule", longest=LONGEST_NAME)
    except NameInvalid as error:
        raise ScheduleInvalid(error.message, field=error.field) from error
    job = get_job(session, organization_id=organization_id, job_id=draft.job_id)
    when = rhythm_of(draft)
    if before is None or not is_same_rhythm(when, before):
        refuse_never(when, now=now)
    return {
        "name": name,
        "job_id": job.id,
        "cron": when.cron.text,
        "minutes": minutes_of(when),
        "timezone": when.zone.name,
        "spread_key": draft.spread_key,
        "has_seconds": draft.has_seconds,
        "clock_change": draft.clock_change.value,
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
        "overlap": draft.overlap.value,
        "missed": draft.missed.value,
        "missed_max_age_seconds": _max_age(draft, when, before),
        "missed_limit": clean_limit(draft.missed_limit),
        "notes": clean_notes(draft.notes),
        "tags": list(clean_tags(draft.tags)),
    }


def edited_columns(session: Session, *, before: ScheduleRow, draft: ScheduleDraft, now: datetime) -> dict[str, Any]:
    """The same of a change. Raises ScheduleOwnedByCode besides."""
    columns = columns_of(session, organization_id=before.organization_id, draft=draft, now=now, before=before)
    if before.default_for is not None and columns["job_id"] != before.job_id:
        raise ScheduleInvalid("The default schedule of a service runs the service's own sync.", field="job_id")
    refuse_fixed(before.code, before=vars(before), after=columns)
    return columns


def judge_edit(
    session: Session, *, before: ScheduleRow, draft: ScheduleDraft, version: int, now: datetime
) -> ScheduleDraft:
    """The draft as an edit would store it now. Raises what the edit would raise, and writes nothing."""
    draft = completed(draft, now=now)
    columns = edited_columns(session, before=before, draft=draft, now=now)
    if version != before.version:
        raise ScheduleChanged
    others = Schedule.organization_id == before.organization_id, Schedule.id != before.id
    called = select(Schedule.id).where(*others, Schedule.name == columns["name"], Schedule.deleted_at.is_(None))
    if session.scalars(called.limit(1)).first() is not None:
        raise ScheduleNameTaken(draft.name)
    stored = ("name", "cron", "timezone", "missed_max_age_seconds", "missed_limit", "notes")
    return replace(draft, tags=tuple(columns["tags"]), **{name: columns[name] for name in stored})


def _max_age(draft: ScheduleDraft, when: Rhythm, before: ScheduleRow | None) -> int:
    said = draft.missed_max_age_seconds
    if (
        before is not None
        and said == before.missed_max_age_seconds
        and (when.cron.text, draft.missed) == (before.cron, before.missed)
    ):
        # Whoever changes something else need not mend what was accepted before.
        return said
    return clean_max_age(said, when=when, missed=draft.missed)
