"""Indexes of the line of ready runs, and fewer of runs that go on. Reads the runs while writers wait."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

LINE = "ix_runs_line"
HINTED = "ix_runs_hinted"
FINISHED = "ix_runs_organization_id_finished_at"


def upgrade() -> None:
    in_line = sa.text("state = 'ready' AND hinted_at IS NULL")
    columns = ["kind", "organization_id", "ready_at", "id"]
    op.create_index(LINE, "runs", columns, sqlite_where=in_line, postgresql_where=in_line)
    hinted = sa.text("state = 'ready' AND hinted_at IS NOT NULL")
    op.create_index(HINTED, "runs", ["hinted_at"], sqlite_where=hinted, postgresql_where=hinted)
    has_finished = sa.text("finished_at IS NOT NULL")
    op.drop_index(FINISHED, "runs")
    columns = ["organization_id", "finished_at"]
    op.create_index(FINISHED, "runs", columns, sqlite_where=has_finished, postgresql_where=has_finished)


def downgrade() -> None:
    op.drop_index(FINISHED, "runs")
    op.create_index(FINISHED, "runs", ["organization_id", "finished_at"])
    op.drop_index(HINTED, "runs")
    op.drop_index(LINE, "runs")
