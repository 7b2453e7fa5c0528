"""What `belfry schedules preview`, `create` and `edit` say about the other schedules of the organization."""

from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, Desk, moment
from app.jobs.queries import get_job
from app.ops.load_notes import LoadNote
from app.ops.schedule_preview import Draft, SchedulePreview, preview_schedule, twin_note_of
from app.schedules.fire_times import Rhythm
from app.schedules.load import LoadBook
from app.schedules.queries import get_schedule


def company_of(console: Console, when: Rhythm, job_id: UUID | None) -> SchedulePreview | None:
    """The rhythm among the others, for a job or an organization that was named; nothing is read without one."""
    if job_id is None and console.organization is None:
        return None
    with console.reading() as desk:
        if job_id is not None:
            get_job(desk.session, organization_id=desk.actor.organization_id, job_id=job_id)
        return preview_schedule(
            desk.session,
            organization_id=desk.actor.organization_id,
            book=LoadBook(),
            draft=Draft(when, job_id),
            now=desk.now,
            count=1,
        )


def company_lines(found: SchedulePreview | None) -> list[str]:
    """The same for people."""
    if found is None:
        return []
    load = found.load
    crowded = "" if load is None else load.text
    if load is not None and load.offer is not None:
        crowded = f"{crowded} {load.offer_text} ({load.offer.cron})"
    return [line for line in (found.twin_note, crowded, found.rhythm.consequence) if line]


def company_facts(found: SchedulePreview | None) -> dict[str, Any]:
    """The same for programs."""
    if found is None:
        return {}
    twins = [{"id": str(twin.id), "name": twin.name, "enabled": twin.enabled} for twin in found.twins]
    load = None if found.load is None else _load_facts(found.load)
    return {"twins": twins, "load": load, "consequence": found.rhythm.consequence}


def warn_of_twins(desk: Desk, schedule_id: UUID) -> None:
    """Say of a schedule that was just saved that its job has the same times already."""
    desk.session.expire_all()
    row = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
    warning = twin_note_of(desk.session, schedule=row)
    if warning is not None:
        click.echo(warning, err=True)


def _load_facts(note: LoadNote) -> dict[str, Any]:
    offer = note.offer
    return {
        "at": moment(note.at),
        "others": note.others,
        "slots": note.slots,
        "late_seconds": None if note.late is None else note.late.total_seconds(),
        "offer": None if offer is None else {"cron": offer.cron, "others": offer.busy},
        "hour_start": moment(note.hour_start),
        "hour": list(note.hour),
    }
