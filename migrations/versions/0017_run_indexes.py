"""Indexes of runs and schedules that a check of a foreign key cannot take, and that hold no rows nobody looks for.

Reads the runs while writers wait.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

# Name, table, columns, and of which rows. Those of a column that is never empty are indexes of all rows.
INDEXES = (
    ("ix_runs_organization_id_state_created_at", "runs", ["organization_id", "state", "created_at"], "state"),
    ("ix_runs_organization_id_created_at", "runs", ["organization_id", "created_at"], "created_at"),
    ("ix_runs_schedule_id_finished_at", "runs", ["schedule_id", "finished_at"], "schedule_id"),
    ("ix_runs_schedule_id_created_at", "runs", ["schedule_id", "created_at"], "schedule_id"),
    ("ix_schedules_organization_id_job_id", "schedules", ["organization_id", "job_id"], "job_id"),
)
# Of those runs alone that have a value in the last column. SQLite would have to make the table anew for that.
UNIQUE = (["schedule_id", "slot_at"], ["organization_id", "request_key"], ["retry_of_run_id"])


def _names(columns: list[str]) -> tuple[str, str]:
    """Of the constraint that was, and of the index that is."""
    named = f"runs_{'_'.join(columns)}"
    return f"uq_{named}", f"ux_{named}"


def upgrade() -> None:
    for name, table, columns, given in INDEXES:
        where = sa.text(f"{given} IS NOT NULL")
        op.drop_index(name, table)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    if op.get_context().dialect.name == "postgresql":
        for columns in UNIQUE:
            constraint, index = _names(columns)
            op.drop_constraint(constraint, "runs")
            where = sa.text(f"{columns[-1]} IS NOT NULL")
            op.create_index(index, "runs", columns, unique=True, postgresql_where=where)


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for columns in UNIQUE:
            constraint, index = _names(columns)
            op.drop_index(index, "runs")
            op.create_unique_constraint(constraint, "runs", columns)
    for name, table, columns, _ in INDEXES:
        op.drop_index(name, table)
        op.create_index(name, table, columns)
