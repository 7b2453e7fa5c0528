"""How connections are made: SQLite for one machine, PostgreSQL for many. Nothing is connected at import."""

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

# Writers queue behind each other in SQLite; five seconds outlast any transaction of ours.
_BUSY_TIMEOUT_MS = 5_000

# Nothing waits for ever on a connection whose other end is gone, and no forgotten transaction holds its locks.
_CONNECT_SECONDS = 5
_SESSION_SETTINGS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
}
_TCP = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 10_000}
# How long a request waits for a connection of its pool before it says that the database is busy.
_POOL_SECONDS = 10
_RECYCLE_SECONDS = 1_800


def postgres_engine(url: URL, *, connections: int, keeps_plans: bool) -> Engine:
    """An engine with a pool of its own, of so many connections at most.

    `keeps_plans` lets the driver prepare what it sends often. A plan that was kept from a time when the tables were
    empty reads them from end to end once they are full, so whoever moves many rows at once does without. (Telling the
    server to plan every statement anew would do that for the checks of foreign keys too, one by one.)
    """
    options = " ".join(f"-c {name}={value}" for name, value in _SESSION_SETTINGS.items())
    return create_engine(
        url,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "options": options,
            "application_name": "belfry",
            **_TCP,
            **({} if keeps_plans else {"prepare_threshold": None}),
        },
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        pool_recycle=_RECYCLE_SECONDS,
        pool_pre_ping=True,
    )


def sqlite_engine(url: URL, *, begin: str, read_only: bool) -> Engine:
    """An engine whose transactions begin with these words."""
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})

    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling begins too late: read-modify-write then loses updates.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        else:
            cursor.execute("PRAGMA journal_mode=WAL")
            # FULL: with NORMAL a power cut may take back a commit that was already answered for.
            cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
