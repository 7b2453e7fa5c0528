"""Tables of what is wrong: incidents, what they are about, and what happened in them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, partial_index
from app.core.ids import new_id


def _of_incident(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "incident_id"],
        ["incidents.organization_id", "incidents.id"],
        name=f"fk_{table}_organization_id_incident_id_incidents",
        ondelete="CASCADE",
    )


class Incident(Base):
    """Open trouble with one cause, gathering events until it recovers."""

    __tablename__ = "incidents"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        # One cause has one incident.
        partial_index(
            "uq_incidents_organization_id_cause_key",
            "organization_id",
            "cause_key",
            unique=True,
            where="state <> 'closed'",
        ),
        Index("ix_incidents_organization_id_last_at", "organization_id", "last_at", "id"),
        Index("ix_incidents_cause_key_closed_at", "organization_id", "cause_key", "closed_at"),
        partial_index("ix_incidents_reminders", "next_reminder_at", where="next_reminder_at IS NOT NULL"),
        partial_index("ix_incidents_closed_at", "closed_at", where="closed_at IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    cause_key: Mapped[str] = mapped_column(String(120))
    type: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[datetime]
    last_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # Whether what it is about works again, of one that is closed.
    has_recovered: Mapped[bool] = mapped_column(default=False, server_default=false())
    happened: Mapped[int]
    # How often it came back soon after it had recovered.
    reopened: Mapped[int] = mapped_column(default=0, server_default="0")
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[UUID | None]
    # How many schedules or jobs it concerns, and the most failures in a row that one of them had.
    things: Mapped[int] = mapped_column(default=1, server_default="1")
    most_in_a_row: Mapped[int] = mapped_column(default=1, server_default="1")
    facts: Mapped[dict[str, Any]]
    acknowledged_by: Mapped[str | None] = mapped_column(String(254))
    acknowledged_at: Mapped[datetime | None]
    assigned_to: Mapped[UUID | None]
    snoozed_until: Mapped[datetime | None]
    next_reminder_at: Mapped[datetime | None]
    reminders: Mapped[int] = mapped_column(default=0, server_default="0")
    missed_slots: Mapped[int | None]
    made_up: Mapped[int | None]


class IncidentEntry(Base):
    """One line of an incident's timeline."""

    __tablename__ = "incident_entries"
    __table_args__ = (
        _of_incident("incident_entries"),
        Index("ix_incident_entries_of", "organization_id", "incident_id", "at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID]
    incident_id: Mapped[UUID]
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(16))
    words: Mapped[str] = mapped_column(String(500), default="")
    by: Mapped[str | None] = mapped_column(String(254))
    run_id: Mapped[UUID | None]
    schedule_id: Mapped[UUID | None]


class IncidentSubject(Base):
    """A schedule, a job or another thing that an incident concerns, and whether it is still in trouble."""

    __tablename__ = "incident_subjects"
    __table_args__ = (
        _of_incident("incident_subjects"),
        partial_index("ix_incident_subjects_in_trouble", "organization_id", "subject_id", where="is_in_trouble"),
    )

    incident_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID]
    subject_kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(160), default="")
    # In a row, since it last worked.
    failures: Mapped[int]
    last_at: Mapped[datetime]
    is_in_trouble: Mapped[bool]
    # Its share of the incident, for messages that leave out what is muted.
    happened: Mapped[int] = mapped_column(default=1, server_default="1")
    job_id: Mapped[UUID | None]
    run_id: Mapped[UUID | None]
    service: Mapped[str | None] = mapped_column(String(16))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    title: Mapped[str] = mapped_column(String(300), default="", server_default="")
    words: Mapped[str] = mapped_column(String(300), default="", server_default="")
