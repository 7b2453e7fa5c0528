"""What an event means for people: trouble, relief or news. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.notifications.types import NotificationType as Type

# Belfry's own run each minute, by what code calls its schedule. What becomes of it, its gaps tell.
CANARY_SCHEDULE = "belfry-canary"
# So much of what an event says is told.
LONGEST_TEXT = 300
# Trouble that no run ended with: a service retired the version of its API that it is asked for.
VERSION_RETIRED = "version_retired"


@dataclass(frozen=True)
class EventFacts:
    """One event as it was appended."""

    id: int
    organization_id: UUID
    kind: str
    subject_id: UUID
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)

    def text(self, otherwise: str = "") -> str:
        return str(self.data.get("text") or otherwise)[:LONGEST_TEXT]


@dataclass(frozen=True)
class RunFacts:
    """What is known of the run of an event."""

    id: UUID
    job_id: UUID
    job_name: str
    schedule_id: UUID | None = None
    schedule_name: str | None = None
    tags: tuple[str, ...] = ()
    service: str | None = None
    connection_id: UUID | None = None
    connection_name: str | None = None
    error: str | None = None
    cause: str | None = None
    slot_at: datetime | None = None
    is_canary: bool = False


@dataclass(frozen=True)
class Readers:
    """The schedules and jobs that read through a connection."""

    schedule_ids: tuple[UUID, ...] = ()
    job_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class ThingFacts:
    """What is known of another thing that an event is about: its name, and what rules go by.

    `readers` are the schedules and jobs that read through a connection, and `tags` are theirs.
    """

    name: str
    tags: tuple[str, ...] = ()
    service: str | None = None
    job_id: UUID | None = None
    is_canary: bool = False
    readers: Readers = field(default_factory=Readers)


class SubjectKind(StrEnum):
    """What is in trouble."""

    SCHEDULE = "schedule"
    JOB = "job"
    CONNECTION = "connection"
    QUEUE = "queue"
    SYSTEM = "system"
    CHANNEL = "channel"


@dataclass(frozen=True)
class Subject:
    """A thing that can be in trouble."""

    kind: SubjectKind
    id: UUID
    name: str


@dataclass(frozen=True)
class Trouble:
    """Something is wrong. All of one `cause_key` is one incident. `is_worse` is told again at once."""

    organization_id: UUID
    at: datetime
    type: Type
    cause_key: str
    subject: Subject
    title: str
    text: str = ""
    run_id: UUID | None = None
    schedule_id: UUID | None = None
    job_id: UUID | None = None
    connection_id: UUID | None = None
    connection_name: str | None = None
    tags: tuple[str, ...] = ()
    service: str | None = None
    error_class: str | None = None
    is_worse: bool = False
    readers: Readers = field(default_factory=Readers)


@dataclass(frozen=True)
class Relief:
    """Something works again, or is gone: things by their ids, or whole causes by their keys.

    Without `has_recovered` it is only over: the thing was deleted, or the trouble has become another one. With `only`
    nothing else of the things is meant.
    """

    organization_id: UUID
    at: datetime
    subject_ids: tuple[UUID, ...] = ()
    cause_keys: tuple[str, ...] = ()
    has_recovered: bool = True
    words: str = ""
    run_id: UUID | None = None
    only: frozenset[Type] = frozenset()


@dataclass(frozen=True)
class News:
    """Something that happened and is no trouble that lasts."""

    event_id: int
    organization_id: UUID
    at: datetime
    type: Type
    subject: Subject
    title: str
    text: str = ""
    nth: int = 1
    next_try_at: datetime | None = None
    run_id: UUID | None = None
    schedule_id: UUID | None = None
    job_id: UUID | None = None
    tags: tuple[str, ...] = ()
    service: str | None = None
    error_class: str | None = None


Signal = Trouble | Relief | News


def connection_key(connection_id: UUID, what: str) -> str:
    """The cause of trouble with a connection."""
    return f"connection:{connection_id}:{what}"


def others_key(subject: Subject) -> str:
    """The cause of all that goes wrong with a thing that has as many incidents as it may."""
    return f"{subject.kind.value}:{subject.id}:others"


def subject_of(run: RunFacts) -> Subject:
    """What a run is a run of, as incidents count it: its schedule, or its job where it has none."""
    if run.schedule_id is not None:
        return Subject(SubjectKind.SCHEDULE, run.schedule_id, run.schedule_name or run.job_name)
    return Subject(SubjectKind.JOB, run.job_id, run.job_name)
