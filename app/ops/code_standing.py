"""What of the definitions that a process loaded is not in force, and why. Judged anew at each look; writes nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.questions import ask_together
from app.core.scopes import PLATFORM, rescoped
from app.jobs.code_rows import CodeJob
from app.jobs.kinds.code.loading import CodeProblem
from app.ops.code_definitions import Definitions
from app.ops.code_rows import names_in_code
from app.ops.code_versions import Loaded, loaded_words, versions_beside
from app.runs.switches import all_queues
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


@dataclass(frozen=True)
class InForce:
    """What definitions are held against: the newest version, schedules, the queue of each job in code, and all queues.

    `is_known` says whether the definitions were in force once.
    """

    newest: Loaded | None
    is_known: bool
    schedules: Sequence[ScheduleRow]
    queue_of_job: Mapping[str, str | None]
    queues: Collection[str]


def standing_of(session: Session, *, definitions: Definitions, now: datetime) -> Standing:
    """How these definitions stand, in a session that works as the installation's own organization."""
    with rescoped(session, PLATFORM):
        newest, is_known = ask_together(session, *versions_beside(definitions))
    names, queues = ask_together(session, names_in_code(), all_queues())
    schedules = list_schedules(session, organization_id=SYSTEM_ORGANIZATION_ID)
    found = InForce(newest, is_known, schedules, {row.code_name: row.queue for row in names}, queues)
    return judge_standing(definitions, found, now=now)


def judge_standing(definitions: Definitions, found: InForce, *, now: datetime) -> Standing:
    """The same by what was read already."""
    newest = found.newest
    if newest is None:
        return Standing(definitions.problems)
    if newest.digest != definitions.version:
        # What others loaded is in force, so nothing of these was refused.
        return Standing(definitions.problems, _newer_words(newest) if found.is_known else "")
    refused = [*_jobs_elsewhere(definitions, found), *_schedules_refused(definitions, found.schedules, now)]
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


def _newer_words(newest: Loaded) -> str:
    return (
        f"The definitions that this process loaded stand back: newer ones are in force, loaded {loaded_words(newest)}. "
        "Restart it with the newer code; or, to go back to these on purpose, run: belfry jobs sync"
    )


def _jobs_elsewhere(definitions: Definitions, found: InForce) -> Iterator[CodeProblem]:
    """The jobs that run in another queue than the code says."""
    known, queues = set(found.queues), found.queue_of_job
    for job in definitions.jobs:
        if job.code_name not in queues:
            yield CodeProblem(job.source, f"Job “{job.name}”: {_SEE_WHY}", job=job.code_name)
        problem = unknown_queue(job, known)
        if problem is not None:
            yield problem
        elif job.queue is not None and queues.get(job.code_name, job.queue) != job.queue:
            text = f"Job “{job.name}” runs in “code”: its queue “{job.queue}” was made after the code was loaded."
            yield CodeProblem(job.source, f"{text} To move it, run: belfry jobs sync", job=job.code_name)


def _schedules_refused(
    definitions: Definitions, schedules: Sequence[ScheduleRow], now: datetime
) -> Iterator[CodeProblem]:
    """The schedules of which another version is in force, or none."""
    rows = {row.code.id: row for row in schedules if row.code}
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
