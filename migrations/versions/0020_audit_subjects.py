"""Indexes of the audit: of what was done to one thing, and of all that a filter asks about.

On PostgreSQL nothing is written into the audit while they are made: a few seconds for a million entries.
"""

from alembic import op

revision = "0020"
down_revision = "0019"

OF_A_THING = "ix_audit_entries_subject"
NEWEST = "ix_audit_entries_newest"
# Begins as the one above does, and is not needed beside it, neither by this version nor by the one before.
NEWEST_BEFORE = "ix_audit_entries_organization_id_at"
FILTERED = ["organization_id", "at", "id", "action", "subject_kind", "actor_label"]


def upgrade() -> None:
    op.create_index(OF_A_THING, "audit_entries", ["organization_id", "subject_id", "at", "id"])
    op.create_index(NEWEST, "audit_entries", FILTERED)
    op.drop_index(NEWEST_BEFORE, "audit_entries")


def downgrade() -> None:
    op.create_index(NEWEST_BEFORE, "audit_entries", ["organization_id", "at"])
    op.drop_index(NEWEST, "audit_entries")
    op.drop_index(OF_A_THING, "audit_entries")
