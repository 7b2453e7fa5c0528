"""Bulk actions, and what a deleted schedule needs to come back. Schedules are locked while one small index is made."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

GOING = sa.text("state = 'going'")
DELETED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "bulk_actions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_user_id", sa.Uuid(), nullable=True),
        sa.Column("actor_label", sa.String(length=254), nullable=False),
        sa.Column("actor_scopes", sa.JSON(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("undo_of_id", sa.Uuid(), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("total", "done", "unchanged", "refused")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_by", sa.String(length=254), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_bulk_actions_organization_id_organizations")
        ),
        sa.ForeignKeyConstraint(["actor_user_id"], ["users.id"], name=op.f("fk_bulk_actions_actor_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_actions")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_bulk_actions_organization_id_id")),
        sa.UniqueConstraint("organization_id", "undo_of_id", name=op.f("uq_bulk_actions_organization_id_undo_of_id")),
    )
    newest = ["organization_id", "created_at", "id"]
    op.create_index("ix_bulk_actions_organization_id_created_at", "bulk_actions", newest)
    op.create_index("ix_bulk_actions_going", "bulk_actions", ["next_at"], sqlite_where=GOING, postgresql_where=GOING)
    op.create_table(
        "bulk_items",
        sa.Column("bulk_action_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=254), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("was", sa.JSON(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "bulk_action_id"],
            ["bulk_actions.organization_id", "bulk_actions.id"],
            name=op.f("fk_bulk_items_organization_id_bulk_action_id_bulk_actions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("bulk_action_id", "position", name=op.f("pk_bulk_items")),
        sa.UniqueConstraint(
            "organization_id",
            "bulk_action_id",
            "object_id",
            name=op.f("uq_bulk_items_organization_id_bulk_action_id_object_id"),
        ),
    )
    by_state = ["bulk_action_id", "state", "position"]
    op.create_index("ix_bulk_items_bulk_action_id_state_position", "bulk_items", by_state)

    op.add_column("schedules", sa.Column("deleted_by", sa.String(length=254), nullable=True))
    op.add_column("schedules", sa.Column("was_enabled", sa.Boolean(), nullable=True))
    columns = ["organization_id", "deleted_at", "id"]
    op.create_index("ix_schedules_deleted", "schedules", columns, sqlite_where=DELETED, postgresql_where=DELETED)


def downgrade() -> None:
    op.drop_index("ix_schedules_deleted", "schedules")
    op.drop_column("schedules", "was_enabled")
    op.drop_column("schedules", "deleted_by")
    op.drop_table("bulk_items")
    op.drop_table("bulk_actions")
