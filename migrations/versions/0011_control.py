"""Stops of scheduling, paused queues, default schedules of services. Milliseconds of lock for the new columns."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("service", sa.String(length=16), nullable=True))
    op.add_column("schedules", sa.Column("default_for", sa.String(length=16), nullable=True))
    op.add_column("gaps", sa.Column("explanation", sa.Text(), nullable=True))
    op.create_index(
        "uq_schedules_organization_id_default_for",
        "schedules",
        ["organization_id", "default_for"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_table(
        "scheduling_stops",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_by", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_by", sa.String(length=254), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_stops")),
        sa.UniqueConstraint("is_open", name=op.f("uq_scheduling_stops_is_open")),
    )
    op.create_index(op.f("ix_scheduling_stops_stopped_at"), "scheduling_stops", ["stopped_at"])
    op.create_table(
        "queue_switches",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_by", sa.String(length=254), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_queue_switches")),
    )


def downgrade() -> None:
    op.drop_table("queue_switches")
    op.drop_table("scheduling_stops")
    op.drop_index("uq_schedules_organization_id_default_for", "schedules")
    for table, column in (("gaps", "explanation"), ("schedules", "default_for"), ("jobs", "service")):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
