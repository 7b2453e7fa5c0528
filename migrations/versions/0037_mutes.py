"""Mutes that end with the next success, and what each thing of an incident has to say by itself.

Columns with constant defaults alone: PostgreSQL notes them in its catalog, and no row is written anew. Telling mutes
from times of maintenance touches the few that are not over.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

_WINDOWS = ("is_mute", "until_success")
_OF_THINGS = ("happened", "job_id", "run_id", "service", "tags", "title", "words")


def upgrade() -> None:
    for name in _WINDOWS:
        column = sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
        op.add_column("maintenance_windows", column)
    op.execute("UPDATE maintenance_windows SET is_mute = true WHERE reason = 'Muted' AND scope_kind = 'schedule'")
    for column in (
        sa.Column("happened", sa.Integer(), server_default="1", nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("service", sa.String(length=16), nullable=True),
        sa.Column("tags", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("title", sa.String(length=300), server_default="", nullable=False),
        sa.Column("words", sa.String(length=300), server_default="", nullable=False),
    ):
        op.add_column("incident_subjects", column)


def downgrade() -> None:
    for table, names in (("incident_subjects", _OF_THINGS), ("maintenance_windows", _WINDOWS)):
        with op.batch_alter_table(table) as batch:
            for name in names:
                batch.drop_column(name)
