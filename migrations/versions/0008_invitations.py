"""Invitations; sessions end with the membership they belong to. Rewrites the small table of sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

MEMBER = "fk_login_sessions_organization_id_user_id_memberships"
ORGANIZATION = "fk_login_sessions_organization_id_organizations"
OPEN = sa.text("accepted_at IS NULL AND revoked_at IS NULL")


def upgrade() -> None:
    # Sessions of people who are no longer members were refused already; the new key could not hold them.
    op.execute(
        "DELETE FROM login_sessions WHERE NOT EXISTS (SELECT 1 FROM memberships WHERE"
        " memberships.organization_id = login_sessions.organization_id"
        " AND memberships.user_id = login_sessions.user_id)"
    )
    with op.batch_alter_table("login_sessions") as batch:
        batch.drop_constraint(ORGANIZATION, type_="foreignkey")
        batch.create_foreign_key(
            MEMBER,
            "memberships",
            ["organization_id", "user_id"],
            ["organization_id", "user_id"],
            ondelete="CASCADE",
        )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["accepted_by"], ["users.id"], name=op.f("fk_invitations_accepted_by_users")),
        sa.ForeignKeyConstraint(["invited_by"], ["users.id"], name=op.f("fk_invitations_invited_by_users")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_invitations_organization_id_organizations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_invitations_token_digest")),
    )
    op.create_index(op.f("ix_invitations_organization_id"), "invitations", ["organization_id"])
    op.create_index(
        "uq_invitations_organization_id_email_open",
        "invitations",
        ["organization_id", "email"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_table("invitations")
    with op.batch_alter_table("login_sessions") as batch:
        batch.drop_constraint(MEMBER, type_="foreignkey")
        batch.create_foreign_key(ORGANIZATION, "organizations", ["organization_id"], ["id"])
