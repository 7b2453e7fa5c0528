"""What an event means for people: trouble, relief or news. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.notifications.types import NotificationType as Type

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


@dataclass(frozen=True)
class ThingFacts:
    """What is known of another thing that an event is about: its name, and what rules go by."""

    name: str
    tags: tuple[str, ...] = ()
    service: str | None = None
    job_id: UUID | None = None


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


@dataclass(frozen=True)
class Relief:
    """Something works again, or is gone: things by their ids, or whole causes by their keys.

    Without `has_recovered` it is only over: the thing was deleted, or the trouble has become another one.
    """

    organization_id: UUID
    at: datetime
    subject_ids: tuple[UUID, ...] = ()
    cause_keys: tuple[str, ...] = ()
    has_recovered: bool = True
    words: str = ""
    run_id: UUID | None = None


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


Signal = Trouble | Relief | News


def connection_key(connection_id: UUID, what: str) -> str:
    """The cause of trouble with a connection."""
    return f"connection:{connection_id}:{what}"


def subject_of(run: RunFacts) -> Subject:
    """What a run is a run of, as incidents count it: its schedule, or its job where it has none."""
    if run.schedule_id is not None:
        return Subject(SubjectKind.SCHEDULE, run.schedule_id, run.schedule_name or run.job_name)
    return Subject(SubjectKind.JOB, run.job_id, run.job_name)
