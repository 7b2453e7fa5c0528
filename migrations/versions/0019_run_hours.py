"""How runs ended, hour by hour, and an index of the dead letters, so that nobody counts a long history."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

ENDS = ("succeeded", "retried", "failed", "missed", "skipped", "cancelled")


def upgrade() -> None:
    op.create_table(
        "run_hours",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ENDS),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_run_hours_organization_id_organizations")
        ),
        sa.PrimaryKeyConstraint("subject_id", "hour", name=op.f("pk_run_hours")),
    )
    op.create_index("ix_run_hours_organization_id_hour", "run_hours", ["organization_id", "hour"])
    op.create_table(
        "run_hour_marks",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("counted_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_run_hour_marks_organization_id_organizations")
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_run_hour_marks")),
    )

    dead = sa.text("state = 'failed' AND dismissed_at IS NULL")
    columns = ["organization_id", "finished_at", "id"]
    op.create_index("ix_runs_dead_letters", "runs", columns, sqlite_where=dead, postgresql_where=dead)


def downgrade() -> None:
    op.drop_index("ix_runs_dead_letters", "runs")
    op.drop_table("run_hour_marks")
    op.drop_table("run_hours")
