"""Reads of the schedules and jobs that code defines, for those who look after the installation.

Sessions work as the installation's own organization.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.questions import Question, ask_together
from app.jobs.models import Job
from app.jobs.queries import JobRow, list_jobs
from app.ops.passed_over import numbers_passed_over, passed_over_rows
from app.runs.queries import RunRow
from app.runs.run_hours import RATE_WINDOW, Counts, counts_by_schedule
from app.runs.statistics import ScheduleStats, last_of_jobs, last_of_schedules, stats_of, these_runs
from app.schedules.code_origin import CodeOrigin, said_value
from app.schedules.models import Schedule
from app.schedules.queries import ScheduleRow, get_schedule, list_schedules
from app.tenants.models import SYSTEM_ORGANIZATION_ID


class CodeScheduleNotFound(NotFound):
    """The code defines no such schedule, and never did."""


class CodeJobNotFound(NotFound):
    """The code defines no such job, and never did."""


@dataclass(frozen=True)
class Override:
    """Something that a page says otherwise than the code."""

    field: str
    here: str
    in_code: str


@dataclass(frozen=True)
class CodeScheduleRow:
    """A schedule that code defines, with what operators made of it. `passed_over` counts slots of the last 7 days."""

    schedule: ScheduleRow
    code: CodeOrigin
    notes: str
    switched_at: datetime | None
    switched_by: str | None
    passed_over: int
    stats: ScheduleStats

    @property
    def overrides(self) -> tuple[Override, ...]:
        return tuple(
            Override(name, _words(said_value(name, vars(self.schedule))), _words(self.code.says[name]))
            for name in self.code.overrides
            if name in self.code.says
        )


@dataclass(frozen=True)
class CodeJobRow:
    """A job that code defines."""

    job: JobRow
    code_name: str
    group: str | None
    last: RunRow | None


def _words(value: Any) -> str:
    if value is None:
        return "as suits its times"
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


def list_code_schedules(session: Session, *, now: datetime) -> list[CodeScheduleRow]:
    """Every schedule that code defines or once defined, by name; none that is for other environments alone."""
    rows = defined_here(list_schedules(session, organization_id=SYSTEM_ORGANIZATION_ID))
    counts, run_ids, *told = ask_together(session, *asked_of_schedules(rows, now=now))
    runs = these_runs(session, organization_id=SYSTEM_ORGANIZATION_ID, run_ids=run_ids or ())
    return code_schedule_rows(rows, counts, runs, *told, now=now)


def defined_here(schedules: Sequence[ScheduleRow]) -> list[ScheduleRow]:
    """Those of them that code defines or once defined; none that is for other environments alone."""
    return [row for row in schedules if row.code is not None and not row.code.is_elsewhere]


def asked_of_schedules(rows: Sequence[ScheduleRow], *, now: datetime) -> tuple[Question[Any] | None, ...]:
    """How their runs ended, the ids of the last ones, and the rest of what `code_schedule_rows` takes."""
    ids = [row.id for row in rows]
    if not ids:
        return (None,) * 6
    columns = Schedule.id, Schedule.notes, Schedule.switched_at, Schedule.switched_by
    return (
        counts_by_schedule(organization_id=SYSTEM_ORGANIZATION_ID, schedule_ids=ids, since=now - RATE_WINDOW),
        last_of_schedules(ids),
        Question(select(*columns).where(Schedule.id.in_(ids)), lambda found: {each.id: each for each in found}),
        *passed_over_rows(now=now),
    )


def code_schedule_rows(
    rows: Sequence[ScheduleRow],
    counts: dict[UUID, Counts],
    runs: Sequence[RunRow],
    operated: dict[UUID, Any],
    *gone: Sequence[Any],
    now: datetime,
) -> list[CodeScheduleRow]:
    """Schedules that code defines, with the answers to what was asked of them."""
    if not rows:
        return []
    stats = stats_of([row.id for row in rows], counts, runs)
    passed_over = numbers_passed_over(rows, *gone, now=now)
    return [
        CodeScheduleRow(
            schedule=row,
            code=row.code,
            notes=operated[row.id].notes,
            switched_at=operated[row.id].switched_at,
            switched_by=operated[row.id].switched_by,
            passed_over=passed_over[row.id],
            stats=stats[row.id],
        )
        for row in rows
        if row.code is not None
    ]


def get_code_schedule(session: Session, *, code_id: str, now: datetime) -> CodeScheduleRow:
    """One of them by its name in code. Raises CodeScheduleNotFound."""
    for row in list_code_schedules(session, now=now):
        if row.code.id == code_id:
            return row
    raise CodeScheduleNotFound("The code defines no such schedule.")


def find_code_schedule(session: Session, name: str) -> UUID | None:
    """The id of the schedule in code that somebody means by its name there, or by that id. None where there is none."""
    here = Schedule.organization_id == SYSTEM_ORGANIZATION_ID, Schedule.code_id.is_not(None)
    meant = or_(Schedule.code_id == name, *(Schedule.id == each for each in _ids_in(name)))
    schedule_id = session.scalar(select(Schedule.id).where(*here, meant, Schedule.deleted_at.is_(None)))
    if schedule_id is None:
        return None
    row = get_schedule(session, organization_id=SYSTEM_ORGANIZATION_ID, schedule_id=schedule_id)
    return None if row.code is None or row.code.is_elsewhere else schedule_id


def find_code_job(session: Session, name: str) -> UUID | None:
    """The same of a job."""
    here = Job.organization_id == SYSTEM_ORGANIZATION_ID, Job.code_name.is_not(None)
    meant = or_(Job.code_name == name, *(Job.id == each for each in _ids_in(name)))
    return session.scalar(select(Job.id).where(*here, meant, Job.deleted_at.is_(None)))


def _ids_in(text: str) -> tuple[UUID, ...]:
    try:
        return (UUID(text),)
    except ValueError:
        return ()


def list_code_jobs(session: Session) -> list[CodeJobRow]:
    """The jobs of functions that code defines now, by name."""
    functions = functions_among(list_jobs(session, organization_id=SYSTEM_ORGANIZATION_ID))
    names, run_ids = ask_together(session, names_in_code(), last_of_jobs([job.id for job in functions]))
    runs = these_runs(session, organization_id=SYSTEM_ORGANIZATION_ID, run_ids=run_ids)
    return code_job_rows(functions, names, runs)


def functions_among(jobs: Sequence[JobRow]) -> list[JobRow]:
    """Those of them that call one function which code defines now."""
    return [
        job for job in jobs
        if job.code_source is not None and job.left_code_at is None and "group" not in job.definition
    ]  # fmt: skip


def names_in_code() -> Question[list[Any]]:
    """`id`, `code_name`, `code_group` and `queue` of all jobs that code defines or once defined, by name."""
    columns = Job.id, Job.code_name, Job.code_group, Job.queue
    here = Job.organization_id == SYSTEM_ORGANIZATION_ID, Job.code_name.is_not(None)
    return Question(select(*columns).where(*here).order_by(Job.code_name), list)


def code_job_rows(functions: Sequence[JobRow], names: Sequence[Any], runs: Sequence[RunRow]) -> list[CodeJobRow]:
    """Jobs of functions, by name, with what those questions gave."""
    by_id, last = {job.id: job for job in functions}, {run.job_id: run for run in runs}
    return [
        CodeJobRow(by_id[row.id], row.code_name, row.code_group, last.get(row.id)) for row in names if row.id in by_id
    ]


def get_code_job(session: Session, *, code_name: str) -> CodeJobRow:
    """One of them. Raises CodeJobNotFound."""
    for row in list_code_jobs(session):
        if row.code_name == code_name:
            return row
    raise CodeJobNotFound("The code defines no such job.")
