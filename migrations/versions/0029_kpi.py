"""Connections, and what is landed from them. Only new tables: nothing is locked."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

IN_USE = sa.text("state <> 'disconnected'")
UNIQUE_WHILE_IN_USE = {
    "uq_connections_organization_id_name": ["organization_id", "name"],
    "uq_connections_organization_id_service_account_id": ["organization_id", "service", "account_id"],
}
TABLES = ("kpi_figures", "kpi_entities", "kpi_changes", "kpi_streams", "kpi_landings")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_connection(table: str) -> tuple[sa.Column[object], sa.Column[object], sa.ForeignKeyConstraint]:
    return (
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["connections.organization_id", "connections.id"],
            name=op.f(f"fk_{table}_organization_id_connection_id_connections"),
        ),
    )


def _entity() -> tuple[sa.Column[object], ...]:
    return sa.Column("level", sa.String(16), nullable=False), sa.Column("entity_id", sa.String(200), nullable=False)


def _provenance() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("run_id", sa.Uuid(), nullable=False),
        _moment("fetched_at"),
        sa.Column("api_version", sa.String(16), nullable=False),
        sa.Column("mapping_version", sa.SmallInteger(), nullable=False),
        sa.Column("flags", sa.String(120), nullable=False),
    )


def upgrade() -> None:
    _make_connections()
    _make_figures()
    _make_changes()
    _make_streams()
    _make_landings()


def _make_connections() -> None:
    op.create_table(
        "connections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("service", sa.String(16), nullable=False),
        sa.Column("account_id", sa.String(200), nullable=False),
        sa.Column("zone", sa.String(64), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_connections_organization_id_organizations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_connections_organization_id_id")),
    )
    for name, columns in UNIQUE_WHILE_IN_USE.items():
        op.create_index(name, "connections", columns, unique=True, sqlite_where=IN_USE, postgresql_where=IN_USE)


def _make_figures() -> None:
    op.create_table(
        "kpi_figures",
        *_of_connection("kpi_figures"),
        *_entity(),
        sa.Column("metric", sa.String(24), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=True),
        *_provenance(),
        _moment("first_landed_at"),
        _moment("changed_at"),
        _moment("vanished_at", nullable=True),
        sa.PrimaryKeyConstraint(
            "organization_id",
            "connection_id",
            "level",
            "metric",
            "day",
            "entity_id",
            name=op.f("pk_kpi_figures"),
            postgresql_include=["value", "currency", "vanished_at"],
        ),
        sa.CheckConstraint(
            "currency IS NULL OR length(currency) = 3", name=op.f("ck_kpi_figures_currency_has_three_letters")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "kpi_entities",
        *_of_connection("kpi_entities"),
        *_entity(),
        sa.Column("name", sa.String(400), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "connection_id", "level", "entity_id", name=op.f("pk_kpi_entities")),
    )


def _make_changes() -> None:
    op.create_table(
        "kpi_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of_connection("kpi_changes"),
        *_entity(),
        sa.Column("metric", sa.String(24), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("old_value", sa.BigInteger(), nullable=True),
        sa.Column("new_value", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_changes")),
        sa.CheckConstraint(
            "old_value IS NOT NULL OR new_value IS NOT NULL", name=op.f("ck_kpi_changes_something_changed")
        ),
    )
    series = ["organization_id", "connection_id", "level", "metric", "day", "at"]
    op.create_index("ix_kpi_changes_series", "kpi_changes", series)
    op.create_index("ix_kpi_changes_run", "kpi_changes", ["organization_id", "run_id"])


def _make_streams() -> None:
    op.create_table(
        "kpi_streams",
        *_of_connection("kpi_streams"),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("high_water", sa.Date(), nullable=True),
        _moment("fetched_at", nullable=True),
        sa.Column("promised_minute", sa.SmallInteger(), nullable=True),
        sa.Column("doubt", sa.String(16), nullable=True),
        _moment("doubted_since", nullable=True),
        _moment("normal_since", nullable=True),
        _moment("losses_until", nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "connection_id", "name", name=op.f("pk_kpi_streams")),
        sa.CheckConstraint("promised_minute BETWEEN 0 AND 1439", name=op.f("ck_kpi_streams_promised_within_a_day")),
    )


def _make_landings() -> None:
    fetch = ["organization_id", "connection_id", "stream", "fetched_at", "first_day", "last_day"]
    op.create_table(
        "kpi_landings",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of_connection("kpi_landings"),
        sa.Column("stream", sa.String(40), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        _moment("landed_at"),
        *_provenance(),
        sa.Column("rows_seen", sa.Integer(), nullable=False),
        sa.Column("rows_changed", sa.Integer(), nullable=False),
        sa.Column("usual_low", sa.Integer(), nullable=True),
        sa.Column("usual_high", sa.Integer(), nullable=True),
        sa.Column("doubt", sa.String(16), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_landings")),
        sa.UniqueConstraint(*fetch, name=op.f("uq_kpi_landings_fetch")),
    )
    op.create_index("ix_kpi_landings_run", "kpi_landings", ["organization_id", "run_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_table("connections")
