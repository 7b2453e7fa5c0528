"""What follows a lost worker, and what processes report of themselves. Milliseconds of lock for the new columns.

Each has a default in the database, so versions that do not know it go on writing beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

HEARTBEAT_COLUMNS = ("host", "pid", "running", "problem", "is_stopping")


def upgrade() -> None:
    for table in ("jobs", "runs"):
        op.add_column(table, sa.Column("when_lost", sa.String(length=8), nullable=False, server_default="kind"))
    op.add_column("heartbeats", sa.Column("host", sa.String(length=255), nullable=False, server_default=""))
    op.add_column("heartbeats", sa.Column("pid", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("heartbeats", sa.Column("running", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("heartbeats", sa.Column("problem", sa.Text(), nullable=True))
    op.add_column("heartbeats", sa.Column("is_stopping", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("heartbeats") as batch:
        for column in HEARTBEAT_COLUMNS:
            batch.drop_column(column)
    for table in ("runs", "jobs"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("when_lost")
