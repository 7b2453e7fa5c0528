"""What the list of schedules and jobs in code shows, read at once: it is asked anew every few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.questions import ask_together
from app.core.scopes import PLATFORM, rescoped
from app.jobs.queries import JobRow, list_jobs
from app.ops.code_definitions import Definitions
from app.ops.code_rows import (
    CodeJobRow,
    CodeScheduleRow,
    asked_of_schedules,
    code_job_rows,
    code_schedule_rows,
    defined_here,
    functions_among,
    names_in_code,
)
from app.ops.code_standing import InForce, Standing, judge_standing
from app.ops.code_versions import versions_beside
from app.ops.heartbeats import ProcessRow, processes
from app.ops.why.answers import why_schedules
from app.ops.why.reasons import Telling, Why
from app.runs.statistics import last_of_jobs, these_runs
from app.runs.switches import all_queues
from app.schedules.queries import earliest_due, list_schedules
from app.tenants.models import SYSTEM_ORGANIZATION_ID


@dataclass(frozen=True)
class CodeBoard:
    """All of it. `whys` are by the id of the schedule, `job_of` by that of the job, also of one that left the code.

    `processes` are those that have not signed off.
    """

    schedules: list[CodeScheduleRow]
    whys: Mapping[UUID, Why]
    jobs: list[CodeJobRow]
    job_of: Mapping[UUID, JobRow]
    processes: list[ProcessRow]
    standing: Standing
    next_due_at: datetime | None


def read_code_board(session: Session, *, definitions: Definitions, telling: Telling) -> CodeBoard:
    """In seven statements, in a session that works as the installation's own organization."""
    now, here = telling.now, SYSTEM_ORGANIZATION_ID
    with rescoped(session, PLATFORM):
        heard_of, queues, next_due_at, newest, is_known = ask_together(
            session, processes(now=now, with_ended=True), all_queues(), earliest_due(), *versions_beside(definitions)
        )
    jobs, schedules = list_jobs(session, organization_id=here), list_schedules(session, organization_id=here)
    functions, rows = functions_among(jobs), defined_here(schedules)
    last = last_of_jobs([job.id for job in functions])
    names, of_jobs, counts, of_schedules, *told = ask_together(
        session, names_in_code(), last, *asked_of_schedules(rows, now=now)
    )
    ids = dict.fromkeys([*of_jobs, *(of_schedules or ())])
    runs = {run.id: run for run in these_runs(session, organization_id=here, run_ids=ids)}
    ids_of_rows = [row.id for row in rows]
    found = InForce(newest, is_known, schedules, {row.code_name: row.queue for row in names}, queues)
    return CodeBoard(
        schedules=code_schedule_rows(
            rows, counts, [runs[each] for each in of_schedules or () if each in runs], *told, now=now
        ),
        whys=why_schedules(
            session, organization_id=here, schedule_ids=ids_of_rows, telling=telling, processes=heard_of
        ),
        jobs=code_job_rows(functions, names, [runs[each] for each in of_jobs if each in runs]),
        job_of={job.id: job for job in jobs},
        processes=[row for row in heard_of if not row.has_ended],
        standing=judge_standing(definitions, found, now=now),
        next_due_at=next_due_at,
    )
