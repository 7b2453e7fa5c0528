"""`/jobs`: what can be run."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Int32, Moment, Name, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.api.resources.runs import RunStartedOut
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs import service as jobs
from app.jobs.kinds.base import DefinitionInvalid, KindName
from app.jobs.policies import Backoff, ErrorClass, Priority, RetryPolicy, WhenLost
from app.jobs.queries import JobRow, get_job, lock_job
from app.jobs.queries import list_jobs as read_jobs
from app.jobs.service import (
    DEFAULT_RETRY,
    DEFAULT_TIME_LIMIT_SECONDS,
    LONGEST_DELAY_SECONDS,
    LONGEST_DESCRIPTION,
    LONGEST_TIME_LIMIT_SECONDS,
    MOST_AT_ONCE,
    MOST_TRIES,
    JobDraft,
    default_retry,
)
from app.runs import service as runs
from app.tenants.access import Permission

Description = Annotated[str, Field(max_length=LONGEST_DESCRIPTION)]
Definition = Annotated[dict[str, Any], Field(description="What it does. Its fields depend on the kind.")]
Tries = Annotated[int, Field(ge=1, le=MOST_TRIES)]
DelaySeconds = Annotated[int, Field(ge=0, le=LONGEST_DELAY_SECONDS)]
TimeLimit = Annotated[int, Field(ge=1, le=LONGEST_TIME_LIMIT_SECONDS)]
LongestDelay = Annotated[int, Field(ge=1, le=86_400, description="No wait is longer, however often it has doubled.")]
Jitter = Annotated[
    bool, Field(description="Whether each wait is spread by chance, by up to 20 %, so that not all come back at once.")
]
NotOn = Annotated[
    list[ErrorClass],
    Field(max_length=len(ErrorClass), description="Kinds of trouble that end it at once. `refused` always does."),
]
SoftLimit = Annotated[
    int | None,
    Field(
        ge=1,
        le=LONGEST_TIME_LIMIT_SECONDS,
        description="A try that takes longer says so, and goes on. Less than the time limit, which ends it.",
    ),
]
QueueName = Annotated[
    str | None, Field(max_length=32, description="A queue that exists. Default: the one of its kind.")
]
PriorityWord = Annotated[
    Literal["high", "normal", "low"], Field(description="Who of the organization goes first in a queue.")
]
Concurrency = Annotated[
    int | None,
    Field(ge=1, le=MOST_AT_ONCE, description="How many of its runs may go on at once. Default: any number."),
]


Lost = Annotated[
    WhenLost,
    Field(
        description="What follows when its worker dies or loses touch in the middle, so that nobody knows how far it "
        "came. kind: syncs and workflows are tried again, functions only if they are declared safe to repeat. "
        "retry: it is tried again. fail: it ends as lost, and a person decides. After three lost workers a run always "
        "waits for a person."
    ),
]


class JobIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Tidy up", "kind": "code", "definition": {"function": "reports.tidy"}, "tries": 2}]
        }
    )

    name: Name
    kind: KindName
    definition: Definition
    description: Description = ""
    tries: Tries = DEFAULT_RETRY.tries
    retry_delay_seconds: DelaySeconds = DEFAULT_RETRY.delay_seconds
    retry_backoff: Backoff = DEFAULT_RETRY.backoff
    retry_longest_delay_seconds: LongestDelay = DEFAULT_RETRY.longest_delay_seconds
    retry_has_jitter: Jitter = DEFAULT_RETRY.has_jitter
    retry_not_on: NotOn = []
    when_lost: Lost = DEFAULT_RETRY.when_lost
    time_limit_seconds: TimeLimit = DEFAULT_TIME_LIMIT_SECONDS
    soft_limit_seconds: SoftLimit = None
    queue: QueueName = None
    priority: PriorityWord = "normal"
    concurrency: Concurrency = None


class JobChange(Body):
    """What is not sent stays. The kind of a job never changes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Tidy up at night", "revision": 1}]})

    name: Name = "unchanged"
    definition: Definition = {}
    description: Description = ""
    tries: Tries = DEFAULT_RETRY.tries
    retry_delay_seconds: DelaySeconds = DEFAULT_RETRY.delay_seconds
    retry_backoff: Backoff = DEFAULT_RETRY.backoff
    retry_longest_delay_seconds: LongestDelay = DEFAULT_RETRY.longest_delay_seconds
    retry_has_jitter: Jitter = DEFAULT_RETRY.has_jitter
    retry_not_on: NotOn = []
    when_lost: Lost = DEFAULT_RETRY.when_lost
    time_limit_seconds: TimeLimit = DEFAULT_TIME_LIMIT_SECONDS
    soft_limit_seconds: SoftLimit = None
    queue: QueueName = None
    priority: PriorityWord = "normal"
    concurrency: Concurrency = None
    revision: Annotated[
        Int32,
        Field(description="The revision that was read: 409 when it is no longer the newest. Default: the newest."),
    ] = 0


class JobOut(Answer):
    id: UUID
    name: str
    kind: KindName
    description: str
    definition: dict[str, Any]
    tries: int
    retry_delay_seconds: int
    retry_backoff: Backoff
    retry_longest_delay_seconds: int
    retry_has_jitter: bool
    retry_not_on: list[ErrorClass]
    when_lost: Lost
    time_limit_seconds: int
    soft_limit_seconds: int | None
    queue: str | None
    priority: PriorityWord
    concurrency: int | None
    revision: int
    updated_at: Moment


@resource("GET", "/jobs", permission=Permission.VIEW, query=Paging, answer=JobOut, is_list=True)
def list_jobs(query: Paging) -> Page[JobOut]:
    """Jobs, by name."""
    rows = read_jobs(request_session(), organization_id=current_actor().organization_id)
    return cut([_shown(row) for row in rows], query, key=lambda one: (one.name, str(one.id)))


@resource("POST", "/jobs", permission=Permission.EDIT_JOBS, body=JobIn, answer=JobOut, status=201)
def create_job(body: JobIn) -> JobOut:
    """Make a job.

    What is not said of tries and waits depends on the kind.
    """
    sent = body.model_dump(include=body.model_fields_set)
    draft = _draft(body.model_dump() | _retry_fields(default_retry(body.kind)) | sent)
    job_id = jobs.create_job(
        request_session(), actor=current_actor(), kinds=runtime().kinds, draft=draft, now=request_now()
    )
    return _shown(_job(job_id))


@resource("GET", "/jobs/<uuid:job_id>", permission=Permission.VIEW, answer=JobOut)
def show_job(job_id: UUID) -> JobOut:
    """A job."""
    return _shown(_job(job_id))


@resource("PATCH", "/jobs/<uuid:job_id>", permission=Permission.EDIT_JOBS, body=JobChange, answer=JobOut)
def change_job(job_id: UUID, body: JobChange) -> JobOut:
    """Change a job.

    What is not sent stays as it is. Its next run uses the change; a run that is going on does not.
    """
    # Without a revision the newest one is changed, so it has to stay the newest one meanwhile.
    session = request_session()
    lock_job(session, organization_id=current_actor().organization_id, job_id=job_id)
    before = _job(job_id)
    sent = body.model_dump(include=body.model_fields_set - {"revision"})
    runs.revise_job(
        session,
        actor=current_actor(),
        kinds=runtime().kinds,
        job_id=job_id,
        draft=_draft(_fields(before) | sent),
        revision=body.revision if "revision" in body.model_fields_set else before.revision,
        now=request_now(),
    )
    # A limit of its own may let more of its runs start.
    on_commit(session, runtime().dispatch)
    return _shown(_job(job_id))


@resource("DELETE", "/jobs/<uuid:job_id>", permission=Permission.EDIT_JOBS)
def delete_job(job_id: UUID) -> Message:
    """Delete a job with its schedules, and cancel its runs that wait. History stays."""
    session = request_session()
    runs.delete_job(session, actor=current_actor(), job_id=job_id, now=request_now())
    # Other runs may have waited for those that end with it.
    on_commit(session, runtime().dispatch)
    return Message(None, "Job deleted. Its history stays.")


class RunJobIn(Body):
    """With which parameters, where the job takes any."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    parameters: Annotated[dict[str, Any], Field(description="Take the place of the job's own in this run.")] = {}


@resource(
    "POST", "/jobs/<uuid:job_id>/run", permission=Permission.RUN, body=RunJobIn, is_body_optional=True,
    answer=RunStartedOut, status=201,
)  # fmt: skip
def run_job(job_id: UUID, body: RunJobIn) -> Message:
    """Run a job now.

    Send an Idempotency-Key, so that a request that is sent again starts nothing more.
    """
    session, job = request_session(), _job(job_id)
    run_id = runs.run_job_now(
        session,
        actor=current_actor(),
        job_id=job_id,
        request_key=f"api-{uuid4()}",
        arguments=runtime().kinds[job.kind].check_arguments(job.definition, body.parameters),
        now=request_now(),
    )
    on_commit(session, runtime().dispatch)
    return Message(RunStartedOut(run_id=run_id), "The run is queued.")


def _job(job_id: UUID) -> JobRow:
    session = request_session()
    # Commands write past the objects that were read before.
    session.flush()
    session.expire_all()
    return get_job(session, organization_id=current_actor().organization_id, job_id=job_id)


def _draft(fields: Mapping[str, Any]) -> JobDraft:
    retry = RetryPolicy(
        tries=fields["tries"],
        delay_seconds=fields["retry_delay_seconds"],
        backoff=fields["retry_backoff"],
        when_lost=fields["when_lost"],
        longest_delay_seconds=fields["retry_longest_delay_seconds"],
        has_jitter=fields["retry_has_jitter"],
        not_on=frozenset(fields["retry_not_on"]),
    )
    return JobDraft(
        name=fields["name"],
        kind=fields["kind"],
        definition=fields["definition"],
        description=fields["description"],
        retry=retry,
        time_limit_seconds=fields["time_limit_seconds"],
        soft_limit_seconds=fields["soft_limit_seconds"],
        queue=fields["queue"],
        priority=Priority.of(fields["priority"]),
        concurrency=fields["concurrency"],
    )


def _fields(row: JobRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "description": row.description,
        "definition": row.definition,
        **_retry_fields(row.retry),
        "time_limit_seconds": row.time_limit_seconds,
        "soft_limit_seconds": row.soft_limit_seconds,
        "queue": row.queue,
        "priority": row.priority.word,
        "concurrency": row.concurrency,
    }


def _retry_fields(retry: RetryPolicy) -> dict[str, Any]:
    return {
        "tries": retry.tries,
        "retry_delay_seconds": retry.delay_seconds,
        "retry_backoff": retry.backoff,
        "retry_longest_delay_seconds": retry.longest_delay_seconds,
        "retry_has_jitter": retry.has_jitter,
        "retry_not_on": sorted(retry.not_on),
        "when_lost": retry.when_lost,
    }


def _shown(row: JobRow) -> JobOut:
    shown = _fields(row) | {"definition": _shown_definition(row)}
    return JobOut(id=row.id, revision=row.revision, updated_at=row.updated_at, **shown)


def _shown_definition(row: JobRow) -> dict[str, Any]:
    """Never a secret, not even one that an older version left in the open. What cannot be read is not shown."""
    kind = runtime().kinds.get(row.kind)
    try:
        return {} if kind is None else kind.without_secrets(row.definition)
    except DefinitionInvalid:
        return {}
