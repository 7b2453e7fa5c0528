"""Tables of notifications: where to tell, when to tell, and each message as a row."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, partial_index
from app.core.ids import new_id


def _of_channel(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "channel_id"],
        ["notify_channels.organization_id", "notify_channels.id"],
        name=f"fk_{table}_organization_id_channel_id_notify_channels",
        ondelete="CASCADE",
    )


class Channel(Base):
    """Where to tell. `settings` holds no secret: that is sealed, and named by `secret_id`."""

    __tablename__ = "notify_channels"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        partial_index(
            "uq_notify_channels_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            where="deleted_at IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    secret_id: Mapped[UUID | None]
    secret_hint: Mapped[str | None] = mapped_column(String(8))
    secret_set_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(8), default="on", server_default="on")
    broken_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    last_error_at: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]
    # Told instead where another one is broken.
    is_fallback: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Until when a service asked to be left alone: no delivery of the channel is sent before.
    quiet_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Rule(Base):
    """When to tell, about what, and where."""

    __tablename__ = "notify_rules"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        partial_index("ix_notify_rules_in_use", "organization_id", where="deleted_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    is_enabled: Mapped[bool] = mapped_column(default=True, server_default=true())
    types: Mapped[list[str]] = mapped_column(JSON)
    scope_kind: Mapped[str] = mapped_column(String(16))
    scope_value: Mapped[str | None] = mapped_column(String(64))
    # So many failures in a row of one schedule or job.
    after_failures: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    tells_recovery: Mapped[bool] = mapped_column(default=True, server_default=true())
    cooldown_minutes: Mapped[int] = mapped_column(default=60, server_default="60")
    channel_ids: Mapped[list[str]] = mapped_column(JSON)
    snoozed_until: Mapped[datetime | None]
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class NotifySettings(Base):
    """What an organization has settled about being told. Minutes are counted from midnight."""

    __tablename__ = "notify_settings"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    quiet_from: Mapped[int | None] = mapped_column(SmallInteger)
    quiet_until: Mapped[int | None] = mapped_column(SmallInteger)
    zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    # Types that are told in quiet hours as well.
    quiet_lets_through: Mapped[list[str]] = mapped_column(JSON, default=list)
    summary_minute: Mapped[int | None] = mapped_column(SmallInteger)
    summary_channel_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    # The last day, in the zone, whose summary was written.
    summary_told_day: Mapped[date | None] = mapped_column(Date)
    # Texts of people's own, by type and part.
    texts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime]


class MaintenanceWindow(Base):
    """A time in which trouble is expected and nobody is told of it."""

    __tablename__ = "maintenance_windows"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        Index("ix_maintenance_windows_organization_id_ends_at", "organization_id", "ends_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    scope_kind: Mapped[str] = mapped_column(String(16))
    scope_value: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200), default="")
    # By who works on one schedule or job, and not planned; it may end with the next run that goes well.
    is_mute: Mapped[bool] = mapped_column(default=False, server_default=false())
    until_success: Mapped[bool] = mapped_column(default=False, server_default=false())
    made_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]


class Telling(Base):
    """What a rule told a channel of a cause, and when it has to look at it again."""

    __tablename__ = "notify_tellings"
    __table_args__ = (
        _of_channel("notify_tellings"),
        partial_index("ix_notify_tellings_due_at", "due_at", where="due_at IS NOT NULL"),
        Index("ix_notify_tellings_incident_id", "organization_id", "incident_id"),
        Index("ix_notify_tellings_touched_at", "touched_at"),
    )

    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(primary_key=True)
    cause_key: Mapped[str] = mapped_column(String(120), primary_key=True)
    organization_id: Mapped[UUID]
    incident_id: Mapped[UUID]
    # Of which time that the incident opened this speaks: 0, and one more for each time it came back.
    episode: Mapped[int] = mapped_column(default=0)
    # When trouble was last told, which begins the cooldown; of another incident of the cause, it may be.
    told_at: Mapped[datetime | None]
    # Whether this episode was told: then its end is told as well.
    is_told: Mapped[bool] = mapped_column(default=False)
    # It was not told yet, and may have to be from then on.
    due_at: Mapped[datetime | None]
    held_by: Mapped[str | None] = mapped_column(String(16))
    # When the message was last brought up to date, and what it said then. None where a digest told it.
    updated_at: Mapped[datetime | None]
    mark: Mapped[str] = mapped_column(String(40), default="", server_default="")
    touched_at: Mapped[datetime]


class Delivery(Base):
    """One message to one channel: a row before it is sent, and the record of it afterwards."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        # However often something is worked out again, it is sent once.
        UniqueConstraint("organization_id", "channel_id", "key"),
        _of_channel("deliveries"),
        partial_index("ix_deliveries_waiting", "next_try_at", where="state IN ('pending', 'failed')"),
        partial_index("ix_deliveries_sending", "lease_until", where="state = 'sending'"),
        Index("ix_deliveries_organization_id_created_at", "organization_id", "created_at", "id"),
        Index("ix_deliveries_channel_id_created_at", "channel_id", "created_at"),
        Index("ix_deliveries_incident_id", "organization_id", "incident_id", "channel_id"),
        Index("ix_deliveries_created_at", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    channel_id: Mapped[UUID]
    # Neither is a reference: both may be gone before the log of deliveries is.
    incident_id: Mapped[UUID | None]
    rule_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(16))
    type: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(160))
    facts: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    next_try_at: Mapped[datetime]
    # Who sends it holds it until then; `token` counts how often somebody took it.
    lease_until: Mapped[datetime | None]
    token: Mapped[int] = mapped_column(default=0, server_default="0")
    sent_at: Mapped[datetime | None]
    # What the channel calls the message, for edits.
    provider_ref: Mapped[str | None] = mapped_column(String(200))
    maybe_twice: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Who has it already, where a channel has several addresses and only some took it.
    reached: Mapped[list[str]] = mapped_column(JSON, default=list)
    # What the place said when it took it, and when it did not.
    words: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class Cursor(Base):
    """How far the events are read: all up to `last_id`, but for those of `holes`."""

    __tablename__ = "notify_cursor"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    last_id: Mapped[int] = mapped_column(BigInteger)
    # Numbers that were not there when those behind them were read: their transactions may still commit.
    holes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    read_at: Mapped[datetime]


class BadEvent(Base):
    """An event that could not be read, set aside so that the others go on."""

    __tablename__ = "notify_bad_events"
    __table_args__ = (Index("ix_notify_bad_events_organization_id_at", "organization_id", "at"),)

    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    kind: Mapped[str] = mapped_column(String(48))
    problem: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
