"""What `belfry schedules preview`, `create` and `edit` say about the other schedules of the organization."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.cli.console import Console, Desk, moment
from app.cli.terminal import say
from app.jobs.queries import get_job
from app.ops.load_notes import LoadNote
from app.ops.preview_books import PreviewBooks
from app.ops.retry_example import if_it_fails
from app.ops.schedule_preview import Draft, SchedulePreview, preview_schedule, twin_note_of
from app.schedules.fire_times import Rhythm
from app.schedules.queries import ScheduleRow, get_schedule


@dataclass
class Company:
    """The others of an organization that was named by itself, a job or a schedule; nothing is read without one."""

    desk: Desk | None = None
    job_id: UUID | None = None
    before: ScheduleRow | None = None
    found: SchedulePreview | None = None
    fails: str | None = None

    @property
    def organization_id(self) -> UUID | None:
        return None if self.desk is None else self.desk.actor.organization_id

    def look_around(self, when: Rhythm) -> None:
        """See what a rhythm would do among them."""
        if self.desk is None:
            return
        job_id = self.job_id if self.before is None else self.job_id or self.before.job_id
        here = self.desk.actor.organization_id
        if job_id is not None:
            job = get_job(self.desk.session, organization_id=here, job_id=job_id)
            self.fails = if_it_fails(when, retry=job.retry, now=self.desk.now)
        self.found = preview_schedule(
            self.desk.session,
            organization_id=here,
            books=PreviewBooks(),
            draft=Draft(when, job_id, self.before),
            now=self.desk.now,
            count=1,
        )


@contextmanager
def company_of(console: Console, schedule_id: UUID | None, job_id: UUID | None) -> Iterator[Company]:
    """The company of a schedule that exists, or of a job. Raises ScheduleNotFound or JobNotFound."""
    if schedule_id is None and job_id is None and console.organization is None:
        yield Company()
        return
    with console.reading() as desk:
        here = desk.actor.organization_id
        if job_id is not None:
            get_job(desk.session, organization_id=here, job_id=job_id)
        before = None
        if schedule_id is not None:
            before = get_schedule(desk.session, organization_id=here, schedule_id=schedule_id)
        yield Company(desk, job_id, before)


def company_lines(company: Company) -> list[str]:
    """The same for people."""
    found = company.found
    if found is None:
        return []
    load = found.load
    crowded = "" if load is None else load.text
    if load is not None and load.offer is not None:
        crowded = f"{crowded} {load.offer_text} ({load.offer.cron})"
    return [line for line in (found.twin_note, crowded, found.rhythm.consequence, company.fails) if line]


def company_facts(company: Company) -> dict[str, Any]:
    """The same for programs."""
    found = company.found
    if found is None:
        return {}
    twins = [{"id": str(twin.id), "name": twin.name, "enabled": twin.enabled} for twin in found.twins]
    load = None if found.load is None else _load_facts(found.load)
    facts = {"twins": twins, "load": load, "consequence": found.rhythm.consequence}
    return {**facts, "if_it_fails": company.fails}


def warn_of_twins(desk: Desk, schedule_id: UUID) -> None:
    """Say of a schedule that was just saved that its job has the same times already."""
    desk.session.expire_all()
    row = get_schedule(desk.session, organization_id=desk.actor.organization_id, schedule_id=schedule_id)
    warning = twin_note_of(desk.session, schedule=row, now=desk.now)
    if warning is not None:
        say(warning, err=True)


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
