"""Who put the checklist of first steps away. One column of a small table, added in a moment."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("memberships", sa.Column("first_steps_hidden_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("memberships", "first_steps_hidden_at")
