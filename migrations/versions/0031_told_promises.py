"""What was told of the promise of a stream, so that nobody is told of it twice.

Two columns that may be empty: the change waits for whoever reads the few rows of the table, a moment.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("kpi_streams", sa.Column("told_day", sa.Date(), nullable=True))
    op.add_column("kpi_streams", sa.Column("told", sa.String(8), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("kpi_streams") as table:
        table.drop_column("told")
        table.drop_column("told_day")
