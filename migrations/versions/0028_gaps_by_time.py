"""Gaps of an organization by their last slot: figures count what was missed within some days.

An index of a small table, made in a moment: gaps are few, one for each schedule whenever nobody planned.
"""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_index("ix_gaps_organization_id_last_slot_at", "gaps", ["organization_id", "last_slot_at"])


def downgrade() -> None:
    op.drop_index("ix_gaps_organization_id_last_slot_at", "gaps")
