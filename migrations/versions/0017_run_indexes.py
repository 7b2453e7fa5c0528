"""Indexes of runs and schedules that a check of a foreign key cannot take, and that hold no rows nobody looks for.

Nobody reads or writes runs and schedules meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

# Name, table, columns, and of the rows that have which one.
SPARSE = (
    ("ix_runs_schedule_id_finished_at", "runs", ["schedule_id", "finished_at"], "schedule_id"),
    ("ix_runs_schedule_id_created_at", "runs", ["schedule_id", "created_at"], "schedule_id"),
)
# All rows have those. SQLite would not take such an index.
OF_POSTGRESQL = (
    ("ix_runs_organization_id_state_created_at", "runs", ["organization_id", "state", "created_at"], "state"),
    ("ix_runs_organization_id_created_at", "runs", ["organization_id", "created_at"], "created_at"),
    ("ix_schedules_organization_id_job_id", "schedules", ["organization_id", "job_id"], "job_id"),
)
# Of those runs alone that have a value in the last column. SQLite would have to make the table anew for that.
UNIQUE = (["schedule_id", "slot_at"], ["organization_id", "request_key"], ["retry_of_run_id"])


def _names(columns: list[str]) -> tuple[str, str]:
    """Of the constraint that was, and of the index that is."""
    named = f"runs_{'_'.join(columns)}"
    return f"uq_{named}", f"ux_{named}"


def _is_postgres() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _lock() -> None:
    """In the order in which a tick takes them, or one of both might have to be taken back."""
    if _is_postgres():
        op.execute("LOCK TABLE schedules, runs IN ACCESS EXCLUSIVE MODE")


def upgrade() -> None:
    _lock()
    for name, table, columns, given in (*SPARSE, *(OF_POSTGRESQL if _is_postgres() else ())):
        where = sa.text(f"{given} IS NOT NULL")
        op.drop_index(name, table)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    if _is_postgres():
        for columns in UNIQUE:
            constraint, index = _names(columns)
            op.drop_constraint(constraint, "runs")
            where = sa.text(f"{columns[-1]} IS NOT NULL")
            op.create_index(index, "runs", columns, unique=True, postgresql_where=where)


def downgrade() -> None:
    _lock()
    if _is_postgres():
        for columns in UNIQUE:
            constraint, index = _names(columns)
            op.drop_index(index, "runs")
            op.create_unique_constraint(constraint, "runs", columns)
    for name, table, columns, _ in (*SPARSE, *(OF_POSTGRESQL if _is_postgres() else ())):
        op.drop_index(name, table)
        op.create_index(name, table, columns)
