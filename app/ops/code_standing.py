"""What of the definitions that a process loaded is not in force, and why. Judged anew at each look; writes nothing."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.jobs.code_rows import CodeJob
from app.jobs.kinds.code.loading import CodeProblem
from app.jobs.models import CodeVersion, Job
from app.ops.code_definitions import Definitions
from app.ops.code_versions import is_known, loaded_words, newest_version
from app.runs.queue_models import Queue
from app.schedules.acceptance import refuse_never
from app.schedules.code_origin import CodeSchedule
from app.schedules.fire_times import rhythm
from app.schedules.queries import ScheduleRow, list_schedules
from app.tenants.models import SYSTEM_ORGANIZATION_ID

_SEE_WHY = "It was refused when the code was loaded. To see why, run: belfry jobs sync"


@dataclass(frozen=True)
class Standing:
    """Everything that cannot be used of these definitions. `newer` says that others are in force, and what to do."""

    problems: tuple[CodeProblem, ...]
    newer: str = ""

    @property
    def all(self) -> tuple[CodeProblem, ...]:
        """Both, for lists."""
        return (CodeProblem("BELFRY_JOBS", self.newer), *self.problems) if self.newer else self.problems


def standing_of(session: Session, *, definitions: Definitions, now: datetime) -> Standing:
    """How these definitions stand, in a session that works as the installation's own organization."""
    newest = newest_version(session, is_whole=definitions.is_complete)
    if newest is None:
        return Standing(definitions.problems)
    if newest.digest != definitions.version:
        # What others loaded is in force, so nothing of these was refused.
        return Standing(definitions.problems, _newer_words(newest) if is_known(session, definitions.version) else "")
    refused = [*_jobs_elsewhere(session, definitions), *_schedules_refused(session, definitions, now)]
    return Standing(tuple(sorted((*definitions.problems, *refused), key=lambda each: each.source)))


def unknown_queue(job: CodeJob, known: Collection[str]) -> CodeProblem | None:
    """That a job names a queue that nobody made; None where it does not."""
    if job.queue is None or job.queue in known:
        return None
    text = (
        f"Job “{job.name}”: there is no queue “{job.queue}”. It runs in “code”. There are: {', '.join(sorted(known))}. "
        "Make it on the queue page, or name another one."
    )
    return CodeProblem(job.source, text, job=job.code_name)


def _newer_words(newest: CodeVersion) -> str:
    return (
        f"The definitions that this process loaded stand back: newer ones are in force, loaded {loaded_words(newest)}. "
        "Restart it with the newer code; or, to go back to these on purpose, run: belfry jobs sync"
    )


def _jobs_elsewhere(session: Session, definitions: Definitions) -> Iterator[CodeProblem]:
    """The jobs that run in another queue than the code says."""
    known = set(session.scalars(select(Queue.name)))
    here = Job.organization_id == SYSTEM_ORGANIZATION_ID, Job.code_name.is_not(None)
    queues = {row.code_name: row.queue for row in session.execute(select(Job.code_name, Job.queue).where(*here))}
    for job in definitions.jobs:
        if job.code_name not in queues:
            yield CodeProblem(job.source, f"Job “{job.name}”: {_SEE_WHY}", job=job.code_name)
        problem = unknown_queue(job, known)
        if problem is not None:
            yield problem
        elif job.queue is not None and queues.get(job.code_name, job.queue) != job.queue:
            text = f"Job “{job.name}” runs in “code”: its queue “{job.queue}” was made after the code was loaded."
            yield CodeProblem(job.source, f"{text} To move it, run: belfry jobs sync", job=job.code_name)


def _schedules_refused(session: Session, definitions: Definitions, now: datetime) -> Iterator[CodeProblem]:
    """The schedules of which another version is in force, or none."""
    rows = {row.code.id: row for row in list_schedules(session, organization_id=SYSTEM_ORGANIZATION_ID) if row.code}
    for one in definitions.schedules:
        if not _is_in_force(one, rows.get(one.id)):
            yield CodeProblem(one.source, f"Schedule “{one.id}”: {_why_refused(one, now)}", schedule=one.id)


def _is_in_force(one: CodeSchedule, row: ScheduleRow | None) -> bool:
    return row is not None and row.code is not None and row.code.left_at is None and row.code.says == one.says


def _why_refused(one: CodeSchedule, now: datetime) -> str:
    try:
        refuse_never(rhythm(one.cron, timezone=one.timezone, spread_key=one.id), now=now)
    except Invalid as error:
        return error.message
    return _SEE_WHY
