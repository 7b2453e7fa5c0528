"""Steps of the database's clock, and an index of repairs. A share lock on events while its index is built."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

REPAIRS = sa.text("kind = 'schedule.repaired'")


def upgrade() -> None:
    op.create_table(
        "clock_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=True),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_repairs", "events", ["subject_id", "id"], sqlite_where=REPAIRS, postgresql_where=REPAIRS)


def downgrade() -> None:
    op.drop_index("ix_events_repairs", "events")
    op.drop_table("clock_steps")
