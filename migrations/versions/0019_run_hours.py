"""How runs ended, hour by hour, so that nobody counts a long history."""

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


def downgrade() -> None:
    op.drop_table("run_hour_marks")
    op.drop_table("run_hours")
