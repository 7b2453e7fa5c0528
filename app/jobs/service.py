"""Commands on jobs. Deleting one also concerns its schedules and runs, and is therefore a command of `runs`."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.ids import new_id
from app.core.names import NameInvalid, clean_name, has_unshowable
from app.events.changes import record_change
from app.events.service import Topic
from app.jobs.chains import forget_chains
from app.jobs.job_changes import changed_fields
from app.jobs.kinds.base import DefinitionInvalid, JobKinds, KindName
from app.jobs.models import Job
from app.jobs.policies import (
    LONGEST_DELAY_SECONDS,
    LONGEST_LONGEST_DELAY_SECONDS,
    MOST_AT_ONCE,
    Backoff,
    Priority,
    RetryPolicy,
)
from app.jobs.queries import JobNotFound, JobRow, get_job, list_queue_names, why_gone
from app.jobs.queue_lock import keep_queue
from app.tenants.access import Actor, Permission, require
from app.vault.service import SecretOwner, retire

LONGEST_TIME_LIMIT_SECONDS = 86_400
MOST_TRIES = 20
LONGEST_NAME = 120
LONGEST_DESCRIPTION = 2_000

# A workflow's trouble is mostly a service that is away for a moment, and many that call it fail in the same one.
DEFAULT_RETRY = RetryPolicy(tries=3, delay_seconds=5, backoff=Backoff.EXPONENTIAL, has_jitter=True)
# What a sync reads is not ready yet, or its account has had enough for a while.
SYNC_RETRY = RetryPolicy(tries=3, delay_seconds=600, backoff=Backoff.FIXED)
DEFAULT_TIME_LIMIT_SECONDS = 600


class JobNameTaken(Conflict):
    """Another job of the organization has this name."""


class PlatformAdminNeeded(Forbidden):
    """What the job does concerns the whole installation."""


class JobOwnedByCode(Conflict):
    """The job is what the code says, and nothing else."""


class JobInvalid(Invalid):
    """A field of the job cannot be accepted."""


@dataclass(frozen=True)
class JobDraft:
    """What a person says about a job."""

    name: str
    kind: KindName
    # It may hold secrets that are not sealed yet.
    definition: Mapping[str, Any] = field(repr=False)
    description: str = ""
    retry: RetryPolicy = DEFAULT_RETRY
    time_limit_seconds: int = DEFAULT_TIME_LIMIT_SECONDS
    soft_limit_seconds: int | None = None
    queue: str | None = None
    priority: Priority = Priority.NORMAL
    concurrency: int | None = None


def default_retry(kind: KindName) -> RetryPolicy:
    """How a job of this kind is tried unless somebody says otherwise."""
    return SYNC_RETRY if kind is KindName.SYNC else DEFAULT_RETRY


def draft_of(job: JobRow) -> JobDraft:
    """What a job says now, to be changed here and there."""
    return JobDraft(
        job.name, job.kind, job.definition, job.description, job.retry, job.time_limit_seconds, job.soft_limit_seconds,
        job.queue, job.priority, job.concurrency,
    )  # fmt: skip


def create_job(session: Session, *, actor: Actor, kinds: JobKinds, draft: JobDraft, now: datetime) -> UUID:
    """Make a job. Raises JobInvalid, DefinitionInvalid or JobNameTaken."""
    require(actor, Permission.EDIT_JOBS)
    if draft.kind is KindName.SYNC and not draft.definition.get("connection_id"):
        raise DefinitionInvalid({"connection_id": "A sync reads from a connection: say which, by its id."})
    columns = _columns(session, actor, kinds, draft)
    owner = SecretOwner.job(actor.organization_id, new_id())
    job = Job(
        id=owner.id, organization_id=actor.organization_id, kind=draft.kind.value, created_at=now, updated_at=now,
        service=columns["definition"]["service"] if draft.kind is KindName.SYNC else None, **columns,
    )  # fmt: skip
    job.definition = kinds[draft.kind].store(session, job.definition, owner=owner, before=None, now=now)
    session.add(job)
    _flush_name(session, draft.name)
    _note(session, actor, job.id, "created", f"Created job “{draft.name.strip()}”", now)
    return job.id


def revise_job(
    session: Session, *, actor: Actor, kinds: JobKinds, job_id: UUID, draft: JobDraft, revision: int, now: datetime
) -> None:
    """Change a job. `revision` is the one the person saw; raises JobChanged when it is no longer the newest."""
    require(actor, Permission.EDIT_JOBS)
    before = get_job(session, organization_id=actor.organization_id, job_id=job_id)
    refuse_owned_by_code(before)
    if before.kind is KindName.SYNC and draft.definition.get("service") != before.definition.get("service"):
        raise DefinitionInvalid({"service": "A sync keeps its service. Make another job for another one."})
    columns = _columns(session, actor, kinds, draft)
    kind, owner = kinds[draft.kind], SecretOwner.job(actor.organization_id, job_id)
    columns["definition"] = kind.store(session, columns["definition"], owner=owner, before=before.definition, now=now)
    query = (
        update(Job)
        .where(Job.id == job_id, Job.organization_id == actor.organization_id, Job.revision == revision)
        .values(**columns, revision=revision + 1, updated_at=now)
    )
    try:
        changed = count_changed(session, query)
    except IntegrityError as error:
        raise JobNameTaken(_TAKEN.format(draft.name.strip()), field="name") from error
    if changed != 1:
        raise JobChanged("Somebody else changed this job meanwhile. Reload the page to see the newest version.")
    retire(session, owner=owner, keep=kind.secret_ids(columns["definition"]), now=now)
    does = kind.describe(before.definition), kind.describe(columns["definition"])
    changes = changed_fields(_columns_of(before), columns, does=does)
    _note(session, actor, job_id, "revised", f"Changed job “{before.name}”", now, changes)


class JobChanged(Conflict):
    """The job is no longer what the person saw."""


def mark_deleted(session: Session, *, actor: Actor, job_id: UUID, now: datetime) -> None:
    """Take a job out of every list. For `runs.service`, which ends its schedules and waiting runs with it."""
    job = get_job(session, organization_id=actor.organization_id, job_id=job_id)
    refuse_owned_by_code(job)
    query = update(Job).where(Job.id == job_id, Job.deleted_at.is_(None)).values(deleted_at=now)
    if count_changed(session, query) != 1:
        raise JobNotFound("There is no such job here. It may have been deleted.")
    retire(session, owner=SecretOwner.job(actor.organization_id, job_id), now=now)
    _note(session, actor, job_id, "deleted", f"Deleted job “{job.name}”", now)
    forget_chains(session, actor=actor, job=job, now=now)


def refuse_owned_by_code(job: JobRow) -> None:
    """Raises JobOwnedByCode, saying where to change it."""
    if job.code_source is not None:
        raise JobOwnedByCode(f"“{job.name}” is defined in code. Change it in {job.code_source}.")


def refuse_left_code(job: JobRow) -> None:
    """Raises JobOwnedByCode for a job that the code no longer has: there is nothing that could be run."""
    why = why_gone(job.name, deleted_at=None, left_code_at=job.left_code_at, source=job.code_source)
    if why is not None:
        raise JobOwnedByCode(why)


_TAKEN = "A job called “{}” exists already. Choose another name."


def _columns(session: Session, actor: Actor, kinds: JobKinds, draft: JobDraft) -> dict[str, Any]:
    name, description = _name(draft), _description(draft)
    if draft.queue:
        keep_queue(session, draft.queue)
    check_policies(draft, queues=list_queue_names(session))
    kind = kinds[draft.kind]
    definition = kind.check(draft.definition)
    if kind.is_for_platform(definition) and not actor.is_platform_admin:
        raise PlatformAdminNeeded("Only platform admins may use this function: it concerns the whole installation.")
    return {
        "name": name,
        "description": description,
        "definition": definition,
        **draft.retry.columns,
        "time_limit_seconds": draft.time_limit_seconds,
        "soft_limit_seconds": draft.soft_limit_seconds,
        "queue": draft.queue or None,
        "priority": draft.priority.value,
        "concurrency": draft.concurrency,
    }


def check_policies(draft: JobDraft, *, queues: Collection[str]) -> None:
    """Raises JobInvalid, naming the field, for what a job's policies cannot say. `queues` are those there are."""
    for is_good, field_name, message in _rules(draft, queues):
        if not is_good:
            raise JobInvalid(message, field=field_name)


def _rules(draft: JobDraft, queues: Collection[str]) -> Iterator[tuple[bool, str, str]]:
    retry, soft = draft.retry, draft.soft_limit_seconds
    yield 1 <= retry.tries <= MOST_TRIES, "tries", f"Use 1 to {MOST_TRIES} tries."
    yield (
        0 <= retry.delay_seconds <= LONGEST_DELAY_SECONDS,
        "retry_delay_seconds",
        f"Wait 0 to {LONGEST_DELAY_SECONDS} seconds between tries.",
    )
    longest = retry.longest_delay_seconds
    yield (
        1 <= longest <= LONGEST_LONGEST_DELAY_SECONDS,
        "retry_longest_delay_seconds",
        "The longest wait is 1 second to 24 hours (86400).",
    )
    yield (
        longest >= retry.delay_seconds,
        "retry_longest_delay_seconds",
        f"The longest wait is shorter than the first one. Make it at least {retry.delay_seconds} seconds.",
    )
    limit = draft.time_limit_seconds
    is_in_range = 1 <= limit <= LONGEST_TIME_LIMIT_SECONDS
    yield is_in_range, "time_limit_seconds", "The time limit is 1 second to 24 hours."
    yield (
        soft is None or 1 <= soft < limit,
        "soft_limit_seconds",
        f"Expect it to take at least 1 second and less than the time limit, which is {limit}.",
    )
    known = ", ".join(queues)
    yield not draft.queue or draft.queue in queues, "queue", f"There is no queue “{draft.queue}”. There are: {known}."
    at_once = draft.concurrency
    yield (
        at_once is None or 1 <= at_once <= MOST_AT_ONCE,
        "concurrency",
        f"Let 1 to {MOST_AT_ONCE:,} runs go on at once, or leave it empty for any number.",
    )


def _name(draft: JobDraft) -> str:
    try:
        return clean_name(draft.name, noun="job", longest=LONGEST_NAME)
    except NameInvalid as error:
        raise JobInvalid(error.message, field=error.field) from error


def _description(draft: JobDraft) -> str:
    # Browsers send the line breaks of a text area as two characters.
    description = draft.description.replace("\r\n", "\n").strip()
    if len(description) > LONGEST_DESCRIPTION:
        message = f"The description is too long. Use at most {LONGEST_DESCRIPTION:,} characters."
        raise JobInvalid(message, field="description")
    if has_unshowable(description, besides="\n\t"):
        message = "The description contains characters that cannot be shown. Type it again."
        raise JobInvalid(message, field="description")
    return description


def _flush_name(session: Session, name: str) -> None:
    # The unique index decides; a look before the insert could be overtaken.
    try:
        session.flush()
    except IntegrityError as error:
        raise JobNameTaken(_TAKEN.format(name.strip()), field="name") from error


def _columns_of(job: JobRow) -> dict[str, Any]:
    return {**vars(job), **job.retry.columns, "priority": job.priority.value}


def _note(
    session: Session, actor: Actor, job_id: UUID, verb: str, summary: str, now: datetime,
    changes: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    record_change(
        session, actor=actor, topic=Topic.JOBS, action=f"job.{verb}", subject_id=job_id, summary=summary, now=now,
        changes=changes,
    )  # fmt: skip
