"""Which run was asked for once more by which, through what a run was asked for, who made a schedule, and saved views.

The new columns of runs are empty in all that there are, so nothing is rewritten: a moment of lock each. Who made a
schedule is taken from the audit: a second for some ten thousand of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

# A program made it in the name of a person, whose address stands before that of the token.
FROM_AUDIT = """
    UPDATE schedules SET made_by = (
        SELECT {person} FROM audit_entries AS entry
        WHERE entry.organization_id = schedules.organization_id AND entry.subject_id = schedules.id
        AND entry.action = 'schedule.created' LIMIT 1
    ) WHERE code_id IS NULL AND default_for IS NULL
"""
MADE_BY = {
    "postgresql": FROM_AUDIT.format(person="left(split_part(entry.actor_label, ' (token ', 1), 254)"),
    "sqlite": FROM_AUDIT.format(
        person="substr(entry.actor_label, 1, instr(entry.actor_label || ' (token ', ' (token ') - 1)"
    ),
}
AGAIN = "ix_runs_again_of_run_id"


def upgrade() -> None:
    op.add_column("runs", sa.Column("again_of_run_id", sa.Uuid(), nullable=True))
    op.add_column("runs", sa.Column("requested_via", sa.String(length=16), nullable=True))
    known = sa.text("again_of_run_id IS NOT NULL")
    op.create_index(AGAIN, "runs", ["again_of_run_id"], sqlite_where=known, postgresql_where=known)
    op.add_column("schedules", sa.Column("made_by", sa.String(length=254), nullable=True))
    with _unhindered():
        op.execute(MADE_BY[op.get_bind().dialect.name])
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("list_name", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_saved_views_organization_id_organizations")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["memberships.organization_id", "memberships.user_id"],
            name="fk_saved_views_organization_id_user_id_memberships",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    columns = ["organization_id", "list_name", "name"]
    of_all = sa.text("user_id IS NULL")
    op.create_index(
        "uq_saved_views_of_all", "saved_views", columns, unique=True, sqlite_where=of_all, postgresql_where=of_all
    )
    of_one = sa.text("user_id IS NOT NULL")
    op.create_index(
        "uq_saved_views_of_one",
        "saved_views",
        ["organization_id", "user_id", "list_name", "name"],
        unique=True,
        sqlite_where=of_one,
        postgresql_where=of_one,
    )


def downgrade() -> None:
    op.drop_table("saved_views")
    op.drop_index(AGAIN, "runs")
    op.drop_column("schedules", "made_by")
    op.drop_column("runs", "requested_via")
    op.drop_column("runs", "again_of_run_id")


@contextmanager
def _unhindered() -> Iterator[None]:
    """Let the owner of the tables see every organization's rows, where policies hold it back like everybody else."""
    bind = op.get_bind()
    forced: list[str] = []
    if bind.dialect.name == "postgresql":
        query = sa.text("SELECT relname FROM pg_class WHERE relforcerowsecurity AND relname = ANY(:names)")
        forced = list(bind.execute(query, {"names": ["audit_entries", "schedules"]}).scalars())
    for name in forced:
        op.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    yield
    for name in forced:
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
