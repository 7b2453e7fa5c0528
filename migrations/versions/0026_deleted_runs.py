"""Until when the runs of each organization are gone because they were old.

The oldest run that succeeded and is left says so of the time before: what was older may have been deleted. Looking for
it reads all runs once, about half a second for a million, and nobody reads or writes runs meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

# Tables whose policies hold back their owner, too.
HELD_BACK = ("organizations", "runs")


def upgrade() -> None:
    op.add_column("organizations", sa.Column("runs_deleted_until", sa.DateTime(timezone=True), nullable=True))
    oldest = (
        "SELECT min(finished_at) FROM runs WHERE runs.organization_id = organizations.id AND runs.state = 'succeeded'"
    )
    with _unhindered():
        op.execute(f"UPDATE organizations SET runs_deleted_until = ({oldest})")  # noqa: S608 - a constant


def downgrade() -> None:
    op.drop_column("organizations", "runs_deleted_until")


@contextmanager
def _unhindered() -> Iterator[None]:
    bind = op.get_bind()
    forced: list[str] = []
    if bind.dialect.name == "postgresql":
        query = sa.text("SELECT relname FROM pg_class WHERE relforcerowsecurity AND relname = ANY(:names)")
        forced = list(bind.execute(query, {"names": list(HELD_BACK)}).scalars())
    for name in forced:
        op.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    yield
    for name in forced:
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
