"""The organization of the installation itself, with the platform admins as its owners. Milliseconds of lock."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# Written out: a migration means the same for ever, whatever becomes of the code.
SYSTEM = UUID("00000000-0000-7000-8000-000000000001")

organizations = sa.table(
    "organizations",
    sa.column("id", sa.Uuid()),
    sa.column("name", sa.String()),
    sa.column("is_personal", sa.Boolean()),
    sa.column("is_system", sa.Boolean()),
    sa.column("timezone", sa.String()),
    sa.column("created_at", sa.DateTime(timezone=True)),
)
users = sa.table("users", sa.column("id", sa.Uuid()), sa.column("is_platform_admin", sa.Boolean()))
memberships = sa.table(
    "memberships",
    sa.column("organization_id", sa.Uuid()),
    sa.column("user_id", sa.Uuid()),
    sa.column("role", sa.String()),
    sa.column("created_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.add_column("organizations", sa.Column("is_system", sa.Boolean(), server_default=sa.false(), nullable=False))
    now = datetime.now(UTC)
    row = {
        "id": SYSTEM,
        "name": "System",
        "is_personal": False,
        "is_system": True,
        "timezone": "UTC",
        "created_at": now,
    }
    op.bulk_insert(organizations, [row])
    admins = op.get_bind().execute(sa.select(users.c.id).where(users.c.is_platform_admin)).scalars().all()
    joined = [{"organization_id": SYSTEM, "user_id": user, "role": "owner", "created_at": now} for user in admins]
    op.bulk_insert(memberships, joined)


def downgrade() -> None:
    for name in ("audit_entries", "events", "login_sessions", "memberships", "runs", "gaps", "schedules", "jobs"):
        table = sa.table(name, sa.column("organization_id", sa.Uuid()))
        op.execute(table.delete().where(table.c.organization_id == SYSTEM))
    op.execute(organizations.delete().where(organizations.c.id == SYSTEM))
    with op.batch_alter_table("organizations") as batch:
        batch.drop_column("is_system")
