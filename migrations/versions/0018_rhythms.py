"""Room for several rhythms, their bounds, tags, the minutes they fire at, and every version of a schedule.

Each new column has a default in the database, so versions that do not know it go on writing beside it.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

WIDE, NARROW = 500, 100


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("has_seconds", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("minutes", sa.LargeBinary(), nullable=True),
    )


def upgrade() -> None:
    for column in _columns():
        op.add_column("schedules", column)
    _resize_cron(WIDE)
    op.create_table(
        "schedule_versions",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=254), nullable=False),
        sa.Column("says", sa.JSON(), nullable=False),
        sa.Column("restored_from", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "schedule_id"],
            ["schedules.organization_id", "schedules.id"],
            name="fk_schedule_versions_organization_id_schedule_id_schedules",
        ),
        sa.PrimaryKeyConstraint("schedule_id", "version", name=op.f("pk_schedule_versions")),
    )


def _resize_cron(length: int) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("schedules", "cron", type_=sa.String(length=length), existing_nullable=False)
        return
    # SQLite changes no column, and a table that others refer to cannot be made anew under them.
    op.add_column("schedules", sa.Column("cron_now", sa.String(length=length), nullable=False, server_default=""))
    op.execute(sa.text("UPDATE schedules SET cron_now = substr(cron, 1, :most)").bindparams(most=length))
    op.drop_column("schedules", "cron")
    op.execute("ALTER TABLE schedules RENAME COLUMN cron_now TO cron")


def downgrade() -> None:
    op.drop_table("schedule_versions")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("UPDATE schedules SET cron = left(cron, :most)").bindparams(most=NARROW))
    _resize_cron(NARROW)
    for column in _columns():
        op.drop_column("schedules", column.name)
