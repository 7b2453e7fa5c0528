"""What watches have told of, and is not over yet.

A new table alone: nothing that is there waits.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.create_table(
        "watch_marks",
        sa.Column("watch", sa.String(length=16), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_watch_marks_organization_id_organizations")
        ),
        sa.PrimaryKeyConstraint("watch", "organization_id", "subject", name=op.f("pk_watch_marks")),
    )


def downgrade() -> None:
    op.drop_table("watch_marks")
