"""Until when somebody renews the login of a connection, so that nobody else does.

A column that may be empty: the change waits for whoever reads the few rows of the table, a moment.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.add_column("connections", sa.Column("renewing_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("connections") as table:
        table.drop_column("renewing_until")
