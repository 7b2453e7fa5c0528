"""How connections sign in, how that stands, and the tests of them.

Columns that may be empty and a new table: each change of the table of connections waits for whoever reads it, a moment.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int | None) -> sa.Column[object]:
    return sa.Column(name, sa.Text() if length is None else sa.String(length), nullable=True)


def _columns() -> tuple[sa.Column[object], ...]:
    return (
        _text("made_by", 254),
        sa.Column("secret_id", sa.Uuid(), nullable=True),
        _text("secret_hint", 4),
        _moment("secret_set_at"),
        _text("app_id", 40),
        _moment("expires_at"),
        _moment("data_expires_at"),
        _moment("expiry_known_at"),
        sa.Column("expiry_told", sa.SmallInteger(), nullable=True),
        _moment("last_tested_at"),
        _text("last_tested_by", 254),
        sa.Column("last_test_good", sa.Boolean(), nullable=True),
        _text("last_test_words", None),
        _moment("last_used_at"),
        _moment("refused_at"),
        _text("refused_reason", None),
        _text("refused_class", 24),
        _moment("ended_at"),
        _text("ended_by", 254),
    )


def upgrade() -> None:
    for column in _columns():
        op.add_column("connections", column)
    op.create_table(
        "connection_tests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        _moment("at", nullable=False),
        sa.Column("by", sa.String(254), nullable=False),
        sa.Column("is_good", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        _text("trouble", 24),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["connections.organization_id", "connections.id"],
            name=op.f("fk_connection_tests_organization_id_connection_id_connections"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_tests")),
    )
    newest = ["organization_id", "connection_id", "at", "id"]
    op.create_index("ix_connection_tests_newest", "connection_tests", newest)


def downgrade() -> None:
    op.drop_table("connection_tests")
    for column in reversed(_columns()):
        op.drop_column("connections", column.name)
