"""Causes of dead letters, what was removed when, and how much waited in each queue minute by minute.

Nobody writes runs while their indexes are made: a few seconds for a million of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

DEAD = "state = 'failed' AND dismissed_at IS NULL"
DEAD_LETTERS = "ix_runs_dead_letters"
OF_BEFORE = ["organization_id", "finished_at", "id"]
INDEXES = (
    (DEAD_LETTERS, [*OF_BEFORE, "cause", "queue", "job_id", "schedule_id"], DEAD),
    ("ix_runs_causes", ["organization_id", "cause", "finished_at", "id", "schedule_id"], DEAD),
    ("ix_runs_dead_letters_of_all", ["finished_at", "id"], DEAD),
    ("ix_runs_without_cause", ["id"], f"{DEAD} AND cause IS NULL"),
    ("ix_runs_removed", ["organization_id", "removed_at", "id"], "removed_at IS NOT NULL"),
)


def _create_index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "runs", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    op.add_column("runs", sa.Column("cause", sa.String(16)))
    op.add_column("runs", sa.Column("removed_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE runs SET removed_at = dismissed_at WHERE state = 'failed' AND dismissed_at IS NOT NULL")
    # Until now a retry was all that said so.
    op.execute(
        "UPDATE runs SET dismissed_at = (SELECT later.created_at FROM runs AS later "
        "WHERE later.retry_of_run_id = runs.id) "
        "WHERE state = 'failed' AND dismissed_at IS NULL "
        "AND id IN (SELECT retry_of_run_id FROM runs WHERE retry_of_run_id IS NOT NULL)"
    )
    op.drop_index(DEAD_LETTERS, "runs")
    for index in INDEXES:
        _create_index(*index)
    op.create_table(
        "queue_minutes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_queue_minutes_organization_id_organizations")
        ),
        sa.PrimaryKeyConstraint("organization_id", "queue", "minute", name=op.f("pk_queue_minutes")),
    )
    op.create_index("ix_queue_minutes_minute", "queue_minutes", ["minute"])


def downgrade() -> None:
    op.drop_table("queue_minutes")
    for name, _columns, _where in INDEXES:
        op.drop_index(name, "runs")
    _create_index(DEAD_LETTERS, OF_BEFORE, DEAD)
    op.drop_column("runs", "removed_at")
    op.drop_column("runs", "cause")
