"""Policies, queues with limits, chains, and what is defined in code. Gives every run that there is its queue.

Each new column has a default in the database, so versions that do not know it go on writing beside it.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

LINE = "ix_runs_line"
WAS_IN_LINE = sa.text("state = 'ready' AND hinted_at IS NULL")
IN_LINE = sa.text("state = 'ready' AND hinted_at IS NULL AND aside_at IS NULL")
ASIDE = "state = 'ready' AND hinted_at IS NULL AND aside_at IS NOT NULL"

# Name, table, columns, whether unique, and of which rows.
INDEXES = (
    ("uq_jobs_organization_id_code_name", "jobs", ["organization_id", "code_name"], True, "code_name IS NOT NULL"),
    ("ix_jobs_limited", "jobs", ["id"], False, "concurrency IS NOT NULL"),
    ("uq_schedules_organization_id_code_id", "schedules", ["organization_id", "code_id"], True, "code_id IS NOT NULL"),
    ("ix_runs_aside", "runs", ["job_id", "priority", "ready_at", "id"], False, ASIDE),
    ("ix_runs_waiting", "runs", ["schedule_id"], False, "state = 'waiting'"),
    ("ix_runs_parent_run_id", "runs", ["parent_run_id"], False, "parent_run_id IS NOT NULL"),
    ("ix_runs_cause_run_id", "runs", ["cause_run_id"], False, "cause_run_id IS NOT NULL"),
)
# At once, and starts in how many seconds. What calls other people's servers goes gently; functions are our own.
QUEUES = (("workflow", 5, 10, 1), ("sync", 4, 4, 1), ("code", None, None, None))


def _of_both() -> tuple[sa.Column[Any], ...]:
    """What a job says and a run of it copies."""
    return (
        sa.Column("retry_longest_delay_seconds", sa.Integer(), nullable=False, server_default="3600"),
        sa.Column("retry_has_jitter", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("retry_not_on", sa.String(length=200), nullable=False, server_default=""),
        sa.Column("soft_limit_seconds", sa.Integer(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False, server_default="1"),
    )


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "jobs": (
            *_of_both(),
            sa.Column("queue", sa.String(length=32), nullable=True),
            sa.Column("concurrency", sa.Integer(), nullable=True),
            sa.Column("code_name", sa.String(length=64), nullable=True),
            sa.Column("code_group", sa.String(length=64), nullable=True),
            sa.Column("code_source", sa.String(length=255), nullable=True),
            sa.Column("left_code_at", sa.DateTime(timezone=True), nullable=True),
        ),
        "schedules": (
            sa.Column("missed_limit", sa.Integer(), nullable=False, server_default="10"),
            sa.Column("switched_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("switched_by", sa.String(length=254), nullable=True),
            sa.Column("notes", sa.Text(), nullable=False, server_default=""),
            sa.Column("code_id", sa.String(length=64), nullable=True),
            sa.Column("code_source", sa.String(length=255), nullable=True),
            sa.Column("code_says", sa.JSON(), nullable=True),
            sa.Column("code_overrides", sa.String(length=200), nullable=False, server_default=""),
            sa.Column("left_code_at", sa.DateTime(timezone=True), nullable=True),
        ),
        "runs": (
            *_of_both(),
            sa.Column("queue", sa.String(length=32), nullable=False, server_default="workflow"),
            sa.Column("parent_run_id", sa.Uuid(), nullable=True),
            sa.Column("cause_run_id", sa.Uuid(), nullable=True),
            sa.Column("connection_key", sa.String(length=80), nullable=True),
            sa.Column("aside_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("slow_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("cancel_reason", sa.String(length=24), nullable=True),
            sa.Column("cancel_words", sa.Text(), nullable=True),
        ),
        "attempts": (
            sa.Column("progress_done", sa.BigInteger(), nullable=True),
            sa.Column("progress_total", sa.BigInteger(), nullable=True),
            sa.Column("progress_text", sa.String(length=200), nullable=True),
            sa.Column("error_class", sa.String(length=16), nullable=True),
            sa.Column("come_back_at", sa.DateTime(timezone=True), nullable=True),
        ),
        "organizations": (sa.Column("concurrency", sa.Integer(), nullable=True),),
        "heartbeats": (sa.Column("queues", sa.Text(), nullable=True),),
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.drop_index(LINE, "runs")
    op.execute("UPDATE runs SET queue = kind WHERE queue <> kind")
    columns = ["queue", "organization_id", "priority", "ready_at", "id"]
    op.create_index(LINE, "runs", columns, sqlite_where=IN_LINE, postgresql_where=IN_LINE)
    for name, table, columns, is_unique, rows in INDEXES:
        which = sa.text(rows)
        op.create_index(name, table, columns, unique=is_unique, sqlite_where=which, postgresql_where=which)
    _create_queues()
    op.create_table(
        "connection_limits",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("connection_key", sa.String(length=80), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.Column("limited_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_connection_limits_organization_id_organizations")
        ),
        sa.PrimaryKeyConstraint("organization_id", "connection_key", name=op.f("pk_connection_limits")),
    )
    _create_chains()
    op.create_table(
        "code_versions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("loaded_by", sa.String(length=254), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_code_versions")),
    )
    op.create_index(op.f("ix_code_versions_loaded_at"), "code_versions", ["loaded_at"])


def _create_queues() -> None:
    queues = op.create_table(
        "queues",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.Column("rate_starts", sa.Integer(), nullable=True),
        sa.Column("rate_seconds", sa.Integer(), nullable=True),
        sa.Column("tokens", sa.Float(), nullable=False, server_default="0"),
        sa.Column("tokens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_queues")),
    )
    fields = ("name", "concurrency", "rate_starts", "rate_seconds", "updated_at")
    now = datetime.now(UTC)
    op.bulk_insert(queues, [dict(zip(fields, (*queue, now), strict=True)) for queue in QUEUES])


def _create_chains() -> None:
    op.create_table(
        "job_chains",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("then_job_id", sa.Uuid(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                ["organization_id", column],
                ["jobs.organization_id", "jobs.id"],
                name=f"fk_job_chains_organization_id_{column}_jobs",
            )
            for column in ("job_id", "then_job_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_chains")),
        sa.UniqueConstraint(
            "organization_id",
            "job_id",
            "outcome",
            "then_job_id",
            name=op.f("uq_job_chains_organization_id_job_id_outcome_then_job_id"),
        ),
    )
    op.create_index("ix_job_chains_then_job_id", "job_chains", ["then_job_id"])


def downgrade() -> None:
    for table in ("code_versions", "job_chains", "connection_limits", "queues"):
        op.drop_table(table)
    for name, table, *_ in reversed(INDEXES):
        op.drop_index(name, table)
    op.drop_index(LINE, "runs")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
    columns = ["kind", "organization_id", "ready_at", "id"]
    op.create_index(LINE, "runs", columns, sqlite_where=WAS_IN_LINE, postgresql_where=WAS_IN_LINE)
