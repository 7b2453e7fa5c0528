"""What jobs look like in requests and answers."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Int32, Moment, Name
from app.edge.identity import current_actor
from app.edge.runtime import fresh_session, runtime
from app.jobs.kinds.base import DefinitionInvalid, KindName
from app.jobs.policies import LONGEST_DELAY_SECONDS, MOST_AT_ONCE, Backoff, ErrorClass, Priority, RetryPolicy, WhenLost
from app.jobs.policy_words import policy_sentences
from app.jobs.queries import JobRow, get_job
from app.jobs.service import (
    DEFAULT_RETRY,
    DEFAULT_TIME_LIMIT_SECONDS,
    LONGEST_DESCRIPTION,
    LONGEST_TIME_LIMIT_SECONDS,
    MOST_TRIES,
    JobDraft,
    default_retry,
)
from app.tenants.access import Permission, may
from app.tenants.audit_masks import masked

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


class JobRules(Body):
    """What a job says about itself beside its kind."""

    name: Name
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


class JobIn(JobRules):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Tidy up", "kind": "code", "definition": {"function": "reports.tidy"}, "tries": 2}]
        }
    )

    kind: KindName

    def draft(self) -> JobDraft:
        """The job that is asked for. How it is tried depends on its kind, as far as nothing is said of it."""
        sent = self.model_dump(include=self.model_fields_set)
        return _draft(self.model_dump() | _retry_fields(default_retry(self.kind)) | sent)


class JobChange(JobRules):
    """What is not sent stays. The kind of a job never changes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Tidy up at night", "revision": 1}]})

    name: Name = "unchanged"
    definition: Definition = {}
    revision: Annotated[
        Int32,
        Field(description="The revision that was read: 409 when it is no longer the newest. Default: the newest."),
    ] = 0

    def draft(self, before: JobRow) -> JobDraft:
        """The job as it is with what was sent put over it."""
        return _draft(_fields(before) | self.model_dump(include=self.model_fields_set - {"revision"}))

    def seen_revision(self, before: JobRow) -> int:
        """The revision this is about: the newest, unless one was sent."""
        return self.revision if "revision" in self.model_fields_set else before.revision


PoliciesInWords = Annotated[list[str], Field(description="What its policies mean, a sentence or two each.")]


class PoliciesOut(Answer):
    """How runs of a job go on."""

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


class JobOut(PoliciesOut):
    """A job, without any secret of its definition."""

    policies_in_words: PoliciesInWords

    id: UUID
    name: str
    kind: KindName
    description: str
    definition: dict[str, Any]
    revision: int
    updated_at: Moment


def newest_job(job_id: UUID) -> JobRow:
    """A job as it stands after the commands of this request. Raises JobNotFound."""
    return get_job(fresh_session(), organization_id=current_actor().organization_id, job_id=job_id)


def shown_job(row: JobRow) -> JobOut:
    """A job in an answer."""
    shown = _fields(row) | {"definition": _shown_definition(row)}
    return JobOut(
        id=row.id, revision=row.revision, updated_at=row.updated_at, policies_in_words=policies_in_words(row), **shown
    )


def policies_in_words(row: JobRow) -> list[str]:
    """What the policies of a job mean, for people."""
    return policy_sentences(row, runtime().kinds.get(row.kind))


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
        **policies_of(row),
    }


def policies_of(row: JobRow) -> dict[str, Any]:
    """The policies of a job, by the names that they have in answers."""
    return {
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


def _shown_definition(row: JobRow) -> dict[str, Any]:
    """Never a secret, not even one that an older version left in the open. What cannot be read is not shown.

    Arguments that are called like one are shown to those alone who may change the job, as its form is.
    """
    kind = runtime().kinds.get(row.kind)
    try:
        shown = {} if kind is None else kind.without_secrets(row.definition)
    except DefinitionInvalid:
        return {}
    return shown if may(current_actor(), Permission.EDIT_JOBS) else dict(masked("", shown))
