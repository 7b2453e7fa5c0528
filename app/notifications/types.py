"""What can be told, and the facts that a message is made of. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class NotificationType(StrEnum):
    """What happened, as rules choose it and people read it."""

    RUN_FAILED = "run_failed"  # after its last try
    RECOVERED = "recovered"  # what had failed works again
    RETRYING = "retrying"  # a try failed, and another one follows
    RUN_SUCCEEDED = "run_succeeded"  # any run that ended well
    CONNECTION_EXPIRING = "connection_expiring"  # its login ends soon, or the version of the API that is asked for
    CONNECTION_EXPIRED = "connection_expired"  # its login has ended, or is refused
    RATE_LIMITED = "rate_limited"  # the service asked for fewer calls, and work waits for it
    LATE = "late"  # a run has not started some time after its slot
    MISSED_SLOTS = "missed_slots"
    LONGER_THAN_USUAL = "longer_than_usual"
    STUCK = "stuck"
    DATA_STALE = "data_stale"  # the promised figures are not there
    DATA_AT_RISK = "data_at_risk"  # they will hardly be there in time
    SUSPICIOUS_SYNC = "suspicious_sync"  # far fewer figures than usual, or none
    QUEUE_BACKLOG = "queue_backlog"
    SYSTEM_SILENT = "system_silent"  # no scheduler, or no worker, reports
    SCHEDULE_SET_ASIDE = "schedule_set_aside"  # it cannot be planned any more
    CHANNEL_BROKEN = "channel_broken"  # a channel was switched off because it fails for good
    DAILY_SUMMARY = "daily_summary"


# What a rule tells that nobody has changed.
DEFAULT_TYPES = frozenset(NotificationType) - {
    NotificationType.RETRYING,
    NotificationType.RUN_SUCCEEDED,
    NotificationType.DAILY_SUMMARY,
    NotificationType.RECOVERED,
    NotificationType.CHANNEL_BROKEN,
}
# What is told each time, and is no trouble that goes on until it is over.
NEWS = frozenset({NotificationType.RETRYING, NotificationType.RUN_SUCCEEDED})
# No rule chooses these: recovery belongs to each rule, a summary to the organization, and of a channel that is broken
# the channel that stands in for it is told where it breaks.
UNCHOSEN = frozenset({NotificationType.RECOVERED, NotificationType.DAILY_SUMMARY, NotificationType.CHANNEL_BROKEN})


class ChannelKind(StrEnum):
    """How a message travels."""

    DISCORD = "discord"
    TELEGRAM = "telegram"
    EMAIL = "email"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


class ChannelState(StrEnum):
    """Whether a channel is used."""

    ON = "on"
    OFF = "off"  # by a person
    BROKEN = "broken"  # by us: it fails for good


class ScopeKind(StrEnum):
    """What a rule or a maintenance window is about."""

    ORGANIZATION = "organization"
    SCHEDULE = "schedule"  # the value is its id
    JOB = "job"  # the value is its id
    TAG = "tag"
    SERVICE = "service"


class IncidentState(StrEnum):
    """How an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # somebody sees to it, and nobody is reminded
    CLOSED = "closed"


class IncidentEntryKind(StrEnum):
    """What a line of an incident's timeline tells."""

    OPENED = "opened"
    HAPPENED = "happened"  # again
    REOPENED = "reopened"
    TOLD = "told"
    HELD = "held"  # it was not told, or will be later, and why
    RECOVERED = "recovered"
    CLOSED = "closed"  # without having recovered
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    ASSIGNED = "assigned"
    RETRIED = "retried"
    NOTED = "noted"


class DeliveryKind(StrEnum):
    """Which message of an incident it is, or that it is of none."""

    OPENED = "opened"
    UPDATED = "updated"  # the first message, edited; sent only where a channel can edit
    REMINDER = "reminder"
    RECOVERED = "recovered"
    EVENT = "event"  # news that belong to no incident
    DIGEST = "digest"  # several incidents that would have been too many messages
    SUMMARY = "summary"  # of a day
    TEST = "test"


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"  # and tried again at its next try
    GIVEN_UP = "given_up"
    SUPPRESSED = "suppressed"  # overtaken by a later one, or its channel is off


class LinkKind(StrEnum):
    """What a link of a message leads to."""

    INCIDENT = "incident"
    RUN = "run"
    SCHEDULE = "schedule"
    JOB = "job"
    CONNECTION = "connection"
    QUEUE = "queue"
    SYSTEM = "system"
    OVERVIEW = "overview"
    CHANNELS = "channels"


@dataclass(frozen=True)
class Link:
    """A page by its kind and the thing's id. Whoever renders knows addresses."""

    kind: LinkKind
    id: UUID | None = None
    words: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind.value, "id": None if self.id is None else str(self.id), "words": self.words}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Link":
        return cls(LinkKind(stored["kind"]), None if stored["id"] is None else UUID(stored["id"]), stored["words"])


@dataclass(frozen=True)
class Facts:
    """What a message says; how it says it is decided where it is sent. No secret, and nothing of other tenants.

    `what` is one sentence; `lines` are figures of a summary or incidents of a digest, a sentence each. `count` is how
    often it happened and `things` how many schedules or jobs it concerns. `nth` counts failures in a row.
    """

    type: NotificationType
    kind: DeliveryKind
    title: str
    what: str = ""
    since: datetime | None = None
    until: datetime | None = None
    nth: int | None = None
    count: int = 1
    things: int = 1
    next_try_at: datetime | None = None
    last_success_at: datetime | None = None
    error: str | None = None
    cause: str | None = None
    to_do: str | None = None
    organization: str = ""
    zone: str = "UTC"
    tags: tuple[str, ...] = ()
    service: str | None = None
    missed_slots: int | None = None
    made_up: int | None = None
    reopened: int = 0
    is_acknowledged: bool = False
    lines: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    # Names and numbers that people's texts may use besides: job, schedule, connection, worker, queue.
    names: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As it is stored; what is not said is left out."""
        stored: dict[str, Any] = {"type": self.type.value, "kind": self.kind.value, "title": self.title}
        for name in _PLAIN:
            value = getattr(self, name)
            if value != _DEFAULTS[name]:
                stored[name] = value
        for name in _MOMENTS:
            moment = getattr(self, name)
            if moment is not None:
                stored[name] = moment.isoformat()
        for name in _LISTS:
            if getattr(self, name):
                stored[name] = list(getattr(self, name))
        if self.links:
            stored["links"] = [link.as_json() for link in self.links]
        if self.names:
            stored["names"] = dict(self.names)
        return stored

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Facts":
        """What was stored, also by an earlier version. What this one does not know is left out."""
        values: dict[str, Any] = {name: stored[name] for name in (*_PLAIN, "title") if name in stored}
        values |= {name: datetime.fromisoformat(stored[name]) for name in _MOMENTS if name in stored}
        values |= {name: tuple(stored[name]) for name in _LISTS if name in stored}
        values["links"] = tuple(Link.of_json(link) for link in stored.get("links", ()))
        values["names"] = dict(stored.get("names", {}))
        return cls(type=NotificationType(stored["type"]), kind=DeliveryKind(stored["kind"]), **values)


_PLAIN = (
    "what", "nth", "count", "things", "error", "cause", "to_do", "organization", "zone", "service", "missed_slots",
    "made_up", "reopened", "is_acknowledged",
)  # fmt: skip
_MOMENTS = ("since", "until", "next_try_at", "last_success_at")
_LISTS = ("tags", "lines")
_DEFAULTS = {name: Facts.__dataclass_fields__[name].default for name in _PLAIN}
