"""The tables of connections and of what was landed from them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.columns import Millionths
from app.core.db import Base, partial_index
from app.core.ids import new_id


def _of_connection(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "connection_id"],
        ["connections.organization_id", "connections.id"],
        name=f"fk_{table}_organization_id_connection_id_connections",
    )


class Connection(Base):
    """One outside account that figures come from. What signs in to it lies in the vault."""

    __tablename__ = "connections"
    __table_args__ = (
        # The target of composite foreign keys: what was landed can only point at its own organization's.
        UniqueConstraint("organization_id", "id"),
        partial_index(
            "uq_connections_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            where="state <> 'disconnected'",
        ),
        # Two organizations may connect the same account; one has no use for it twice.
        partial_index(
            "uq_connections_organization_id_service_account_id",
            "organization_id",
            "service",
            "account_id",
            unique=True,
            where="state <> 'disconnected'",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(120))
    service: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[str] = mapped_column(String(200))
    # As the account says; unknown until it was asked for the first time.
    zone: Mapped[str | None] = mapped_column(String(64))
    currency: Mapped[str | None] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(16))
    # Who added it, as the audit names them.
    made_by: Mapped[str | None] = mapped_column(String(254))
    # What signs in, sealed in the vault: only its id, its last letters, and since when it is this one.
    secret_id: Mapped[UUID | None]
    secret_hint: Mapped[str | None] = mapped_column(String(4))
    secret_set_at: Mapped[datetime | None]
    # The app at the service that the login was given to, as the service says.
    app_id: Mapped[str | None] = mapped_column(String(40))
    # When the login ends, and when it may no longer read. Without an end but with an answer it has none.
    expires_at: Mapped[datetime | None]
    data_expires_at: Mapped[datetime | None]
    expiry_known_at: Mapped[datetime | None]
    # The last warning of this very end: so many days before it, 0 for the end itself.
    expiry_told: Mapped[int | None] = mapped_column(SmallInteger)
    # Until when somebody renews what signs in. One that has passed was left by somebody who was stopped.
    renewing_until: Mapped[datetime | None]
    # The newest test.
    last_tested_at: Mapped[datetime | None]
    last_tested_by: Mapped[str | None] = mapped_column(String(254))
    last_test_good: Mapped[bool | None]
    last_test_words: Mapped[str | None] = mapped_column(Text)
    # The last read that went well.
    last_used_at: Mapped[datetime | None]
    # Since when the service no longer takes the login, and what it said.
    refused_at: Mapped[datetime | None]
    refused_reason: Mapped[str | None] = mapped_column(Text)
    refused_class: Mapped[str | None] = mapped_column(String(24))
    # When its service had errors of its own with it within the last hour.
    service_errors: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(254))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ConnectionTest(Base):
    """One test of a connection that somebody asked for. Only the newest of each connection are kept."""

    __tablename__ = "connection_tests"
    __table_args__ = (
        _of_connection("connection_tests"),
        Index("ix_connection_tests_newest", "organization_id", "connection_id", "at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(254))
    is_good: Mapped[bool]
    words: Mapped[str] = mapped_column(Text)
    trouble: Mapped[str | None] = mapped_column(String(24))
    milliseconds: Mapped[int]


class LandedFigure(Base):
    """One figure as it was landed last, with where it came from. What vanished stays, marked."""

    __tablename__ = "kpi_figures"
    __table_args__ = (
        # In the order in which a page asks: one metric of a connection over some days, answered from the index alone.
        PrimaryKeyConstraint(
            "organization_id",
            "connection_id",
            "level",
            "metric",
            "day",
            "entity_id",
            postgresql_include=["value", "currency", "vanished_at"],
        ),
        _of_connection("kpi_figures"),
        CheckConstraint("currency IS NULL OR length(currency) = 3", name="currency_has_three_letters"),
        {"sqlite_with_rowid": False},
    )

    organization_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    level: Mapped[str] = mapped_column(String(16))
    metric: Mapped[str] = mapped_column(String(24))
    day: Mapped[date]
    entity_id: Mapped[str] = mapped_column(String(200))
    value: Mapped[Decimal] = mapped_column(Millionths)
    currency: Mapped[str | None] = mapped_column(String(3))
    # Quality flags, sorted, with commas between them.
    flags: Mapped[str] = mapped_column(String(120))
    run_id: Mapped[UUID]
    fetched_at: Mapped[datetime]
    api_version: Mapped[str] = mapped_column(String(16))
    mapping_version: Mapped[int] = mapped_column(SmallInteger)
    first_landed_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    vanished_at: Mapped[datetime | None]


class LandedEntity(Base):
    """What figures are about, under the name its service uses now: a rename is one row here and none of the figures."""

    __tablename__ = "kpi_entities"
    __table_args__ = (
        PrimaryKeyConstraint("organization_id", "connection_id", "level", "entity_id"),
        _of_connection("kpi_entities"),
    )

    organization_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    level: Mapped[str] = mapped_column(String(16))
    entity_id: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(400))


class FigureChange(Base):
    """A figure of a day that had been complete was changed: from what to what, by which run. Nothing is for absence."""

    __tablename__ = "kpi_changes"
    __table_args__ = (
        _of_connection("kpi_changes"),
        Index("ix_kpi_changes_series", "organization_id", "connection_id", "level", "metric", "day", "at"),
        Index("ix_kpi_changes_run", "organization_id", "run_id"),
        CheckConstraint("old_value IS NOT NULL OR new_value IS NOT NULL", name="something_changed"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    level: Mapped[str] = mapped_column(String(16))
    metric: Mapped[str] = mapped_column(String(24))
    day: Mapped[date]
    entity_id: Mapped[str] = mapped_column(String(200))
    old_value: Mapped[Decimal | None] = mapped_column(Millionths)
    new_value: Mapped[Decimal | None] = mapped_column(Millionths)
    currency: Mapped[str | None] = mapped_column(String(3))
    run_id: Mapped[UUID]
    at: Mapped[datetime]


class StreamState(Base):
    """How far a stream of a connection has come, until when its figures are promised, and what its guards know."""

    __tablename__ = "kpi_streams"
    __table_args__ = (
        PrimaryKeyConstraint("organization_id", "connection_id", "name"),
        _of_connection("kpi_streams"),
        CheckConstraint("promised_minute BETWEEN 0 AND 1439", name="promised_within_a_day"),
    )

    organization_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(40))
    level: Mapped[str] = mapped_column(String(16))
    # The last day that has landed completely, and all before it.
    high_water: Mapped[date | None]
    # Of the landing whose answers are the newest.
    fetched_at: Mapped[datetime | None]
    # The minute of the account's day by which the day before is promised.
    promised_minute: Mapped[int | None] = mapped_column(SmallInteger)
    # Why its newest landing is in doubt, and since when that has been so; told once.
    doubt: Mapped[str | None] = mapped_column(String(16))
    doubted_since: Mapped[datetime | None]
    # Somebody said then that what looked odd is normal: what is usual is learnt anew from there.
    normal_since: Mapped[datetime | None]
    # Until then it is believed that most figures may be gone.
    losses_until: Mapped[datetime | None]
    # Of which day it was told that it is not here as promised, and whether that was at risk or stale.
    told_day: Mapped[date | None]
    told: Mapped[str | None] = mapped_column(String(8))
    # Where the reader of its service goes on, in that reader's own words. Moves with the landing that it speaks of.
    mark: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Landing(Base):
    """One window that was landed: what it brought, and what was usual then. Kept for some months."""

    __tablename__ = "kpi_landings"
    __table_args__ = (
        _of_connection("kpi_landings"),
        # The same answers landed twice are one landing.
        UniqueConstraint(
            "organization_id",
            "connection_id",
            "stream",
            "fetched_at",
            "first_day",
            "last_day",
            name="uq_kpi_landings_fetch",
        ),
        Index("ix_kpi_landings_run", "organization_id", "run_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    stream: Mapped[str] = mapped_column(String(40))
    first_day: Mapped[date]
    last_day: Mapped[date]
    # How many these are: landings of as many are comparable.
    days: Mapped[int]
    fetched_at: Mapped[datetime]
    landed_at: Mapped[datetime]
    run_id: Mapped[UUID]
    api_version: Mapped[str] = mapped_column(String(16))
    mapping_version: Mapped[int] = mapped_column(SmallInteger)
    flags: Mapped[str] = mapped_column(String(120))
    rows_seen: Mapped[int]
    rows_changed: Mapped[int]
    # What had been usual, unless too little was known.
    usual_low: Mapped[int | None]
    usual_high: Mapped[int | None]
    doubt: Mapped[str | None] = mapped_column(String(16))
