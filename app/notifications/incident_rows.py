"""Reads of incidents and their timelines, as pages, API and CLI show them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, literal_column, select, tuple_
from sqlalchemy.orm import Session

from app.notifications.handling import IncidentNotFound
from app.notifications.incident_models import Incident, IncidentEntry, IncidentSubject
from app.notifications.models import Channel, Delivery
from app.notifications.types import DeliveryKind, DeliveryState, IncidentEntryKind, IncidentState, NotificationType

MOST_COUNTED = 1_000
LONGEST_SEARCH = 100
# Written out, or an index of those that are open alone would be of no use.
_CLOSED: ColumnElement[str] = literal_column(f"'{IncidentState.CLOSED.value}'")


@dataclass(frozen=True)
class IncidentFilter:
    """Which incidents a list holds: those of a member, or of nobody; with `words` in their titles."""

    is_open: bool | None = None
    type: NotificationType | None = None
    assigned_to: UUID | None = None
    is_unassigned: bool = False
    words: str = ""


@dataclass(frozen=True)
class IncidentRow:
    """An incident as a list shows it. `things` counts the schedules and jobs that it concerns."""

    id: UUID
    type: NotificationType
    title: str
    text: str
    state: IncidentState
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    has_recovered: bool
    happened: int
    things: int
    most_in_a_row: int
    reopened: int
    subject_kind: str
    subject_id: UUID | None
    connection_id: UUID | None
    run_id: UUID | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    assigned_to: UUID | None
    snoozed_until: datetime | None
    next_reminder_at: datetime | None
    missed_slots: int | None
    made_up: int | None

    @property
    def is_open(self) -> bool:
        return self.state is not IncidentState.CLOSED

    def lasted(self, *, now: datetime) -> timedelta:
        """How long it was open, or is until now."""
        return (self.closed_at or now) - self.opened_at


@dataclass(frozen=True)
class EntryRow:
    """A line of a timeline."""

    id: UUID
    at: datetime
    kind: IncidentEntryKind
    words: str
    by: str | None
    run_id: UUID | None
    schedule_id: UUID | None


@dataclass(frozen=True)
class ThingRow:
    """A schedule, job or connection of an incident."""

    kind: str
    id: UUID
    name: str
    failures: int
    last_at: datetime
    is_in_trouble: bool


@dataclass(frozen=True)
class MessageRow:
    """A message of an incident. `words` say what the channel answered, or why it did not take it."""

    id: UUID
    channel_id: UUID
    channel: str
    kind: DeliveryKind
    state: DeliveryState
    tries: int
    sent_at: datetime | None
    maybe_twice: bool
    words: str
    created_at: datetime


def list_incidents(
    session: Session,
    *,
    organization_id: UUID,
    limit: int,
    wanted: IncidentFilter | None = None,
    before: tuple[datetime, UUID] | None = None,
) -> list[IncidentRow]:
    """Incidents by when they last happened, the newest first, or those before a place in that order."""
    query = select(Incident).where(Incident.organization_id == organization_id, *_wanted(wanted or IncidentFilter()))
    if before is not None:
        query = query.where(tuple_(Incident.last_at, Incident.id) < before)
    return [
        row_of(row) for row in session.scalars(query.order_by(Incident.last_at.desc(), Incident.id.desc()).limit(limit))
    ]


def count_open(session: Session, *, organization_id: UUID) -> int:
    """How many are not closed, at most a thousand."""
    return session.scalar(select(open_incidents(organization_id))) or 0


def open_incidents(organization_id: UUID) -> ScalarSelect[int]:
    """The same as part of a statement."""
    some = select(Incident.id).where(Incident.organization_id == organization_id, Incident.state != _CLOSED)
    return select(func.count()).select_from(some.limit(MOST_COUNTED).subquery()).scalar_subquery()


def incidents_of_thing(
    session: Session, *, organization_id: UUID, subject_id: UUID, limit: int
) -> list[IncidentRow]:  # fmt: skip
    """The open incidents in which a schedule, job or connection is in trouble, by when they last happened."""
    mine = IncidentSubject.organization_id == organization_id, IncidentSubject.subject_id == subject_id
    join = Incident.id == IncidentSubject.incident_id, Incident.organization_id == IncidentSubject.organization_id
    query = select(Incident).join(IncidentSubject, and_(*join)).where(*mine, IncidentSubject.is_in_trouble)
    query = query.where(Incident.state != _CLOSED).order_by(Incident.last_at.desc(), Incident.id.desc())
    return [row_of(row) for row in session.scalars(query.limit(limit))]


def get_incident(session: Session, *, organization_id: UUID, incident_id: UUID) -> IncidentRow:
    """One incident. Raises IncidentNotFound."""
    mine = Incident.organization_id == organization_id, Incident.id == incident_id
    row = session.scalars(select(Incident).where(*mine)).one_or_none()
    if row is None:
        raise IncidentNotFound("There is no such incident. It may have been deleted with what is old.")
    return row_of(row)


def list_entries(
    session: Session, *, organization_id: UUID, incident_id: UUID, limit: int = 200
) -> list[EntryRow]:  # fmt: skip
    """Its timeline, the newest line first."""
    mine = IncidentEntry.organization_id == organization_id, IncidentEntry.incident_id == incident_id
    query = select(IncidentEntry).where(*mine).order_by(IncidentEntry.at.desc(), IncidentEntry.id.desc()).limit(limit)
    return [
        EntryRow(row.id, row.at, IncidentEntryKind(row.kind), row.words, row.by, row.run_id, row.schedule_id)
        for row in session.scalars(query)
    ]


def list_things(
    session: Session, *, organization_id: UUID, incident_id: UUID, limit: int = 50
) -> list[ThingRow]:  # fmt: skip
    """What it concerns: first what is still in trouble."""
    mine = IncidentSubject.organization_id == organization_id, IncidentSubject.incident_id == incident_id
    order = IncidentSubject.is_in_trouble.desc(), IncidentSubject.last_at.desc(), IncidentSubject.subject_id
    return [
        ThingRow(row.subject_kind, row.subject_id, row.name, row.failures, row.last_at, row.is_in_trouble)
        for row in session.scalars(select(IncidentSubject).where(*mine).order_by(*order).limit(limit))
    ]


def count_messages(session: Session, *, organization_id: UUID, incident_id: UUID) -> int:
    """How many messages were sent of it."""
    mine = Delivery.organization_id == organization_id, Delivery.incident_id == incident_id
    sent = select(func.count()).where(*mine, Delivery.state == DeliveryState.SENT.value)
    return session.scalar(sent) or 0


def list_messages(
    session: Session, *, organization_id: UUID, incident_id: UUID, limit: int = 50
) -> list[MessageRow]:  # fmt: skip
    """What was and is to be told of it, the newest first."""
    query = (
        select(Delivery, Channel.name)
        .join(Channel, (Channel.id == Delivery.channel_id) & (Channel.organization_id == Delivery.organization_id))
        .where(Delivery.organization_id == organization_id, Delivery.incident_id == incident_id)
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .limit(limit)
    )
    return [
        MessageRow(
            row.id, row.channel_id, name, DeliveryKind(row.kind), DeliveryState(row.state), row.tries, row.sent_at,
            row.maybe_twice, row.last_error or row.words or "", row.created_at,
        )
        for row, name in session.execute(query)
    ]  # fmt: skip


def _wanted(wanted: IncidentFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.is_open is not None:
        found.append((Incident.state != _CLOSED) if wanted.is_open else (Incident.state == _CLOSED))
    if wanted.type is not None:
        found.append(Incident.type == wanted.type.value)
    if wanted.is_unassigned:
        found.append(Incident.assigned_to.is_(None))
    elif wanted.assigned_to is not None:
        found.append(Incident.assigned_to == wanted.assigned_to)
    if wanted.words:
        found.append(Incident.title.icontains(wanted.words, autoescape=True))
    return found


def row_of(row: Incident) -> IncidentRow:
    """An incident as it is stored, for reads of this package."""
    facts = row.facts
    return IncidentRow(
        row.id, NotificationType(row.type), row.title, facts.get("text", ""), IncidentState(row.state), row.opened_at,
        row.last_at, row.closed_at, row.has_recovered, row.happened, row.things, row.most_in_a_row, row.reopened,
        row.subject_kind, row.subject_id, _id(facts, "connection_id"), _id(facts, "run_id"), row.acknowledged_by,
        row.acknowledged_at, row.assigned_to, row.snoozed_until, row.next_reminder_at, row.missed_slots, row.made_up,
    )  # fmt: skip


def _id(facts: dict[str, Any], name: str) -> UUID | None:
    return UUID(facts[name]) if facts.get(name) else None
