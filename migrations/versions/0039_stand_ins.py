"""Which channels told an incident in the place of one that is broken, so that they tell its end as well.

One column with a default: the table is not written anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    column = sa.Column("stands_in", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("notify_tellings", column)


def downgrade() -> None:
    with op.batch_alter_table("notify_tellings") as table:
        table.drop_column("stands_in")
