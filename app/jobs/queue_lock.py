"""Who puts a job into a queue keeps others from deleting that queue meanwhile. The table itself belongs to `runs`."""

from sqlalchemy import text
from sqlalchemy.orm import Session

# Held to the end of the transaction, shared by all who save jobs. A row of the queue would do, but an organization may
# not lock what it may not change. SQLite lets one transaction write at a time and needs none.
_KEEP = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")
_TRY_TO_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


def keep_queue(session: Session, name: str) -> None:
    """Let nobody delete this queue until this is committed. Waits for whoever does so just now: look for it after."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(_KEEP, {"name": _key(name)})


def try_to_lock_queue(session: Session, name: str) -> bool:
    """Let nobody put a job into this queue until this is committed. False when somebody does so just now.

    Never waits: whoever saves the job may wait for the line, which the caller holds.
    """
    is_alone = session.get_bind().dialect.name == "sqlite"
    return is_alone or bool(session.scalar(_TRY_TO_LOCK, {"name": _key(name)}))


def _key(name: str) -> str:
    return f"jobs of the queue {name}"
