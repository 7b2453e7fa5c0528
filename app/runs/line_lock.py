"""Who calls runs out of the line, or changes its limits, does so alone: the places that are left are counted once."""

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

# Any number that nobody else of this database takes. Held to the end of the transaction.
LINE_LOCK = select(func.pg_advisory_xact_lock(literal_column("7305808869231616")).label("locked"))


def lock_line(session: Session) -> None:
    """Wait for one's turn, on PostgreSQL. A transaction that writes on SQLite is alone anyway."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(LINE_LOCK)
