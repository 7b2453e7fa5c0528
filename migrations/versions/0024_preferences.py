"""How people like their pages: clock, theme, density, shortcuts. And how much memory a process reports.

A column with a constant default: PostgreSQL writes no row for it, so the table is locked for milliseconds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("users", sa.Column("clock", sa.String(2), nullable=False, server_default="24"))
    # Nobody has chosen yet: until they do, each browser goes on with what was chosen in it.
    op.add_column("users", sa.Column("theme", sa.String(8), nullable=True))
    op.add_column("users", sa.Column("density", sa.String(16), nullable=False, server_default="comfortable"))
    op.add_column("users", sa.Column("shortcuts_enabled", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("heartbeats", sa.Column("memory_mib", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("heartbeats", "memory_mib")
    for column in ("shortcuts_enabled", "density", "theme", "clock"):
        op.drop_column("users", column)
