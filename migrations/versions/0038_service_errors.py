"""When services had errors of their own with a connection, also before anything of it has landed.

One column that may be empty: the change waits for whoever reads the few rows of the table, a moment.
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.add_column("connections", sa.Column("service_errors", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("connections") as table:
        table.drop_column("service_errors")
