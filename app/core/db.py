"""Engines, sessions and transactions. The only place that opens a connection; edges and loops say when to commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import JSON, CursorResult, Engine, MetaData, UpdateBase, Uuid, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import DeclarativeBase, Session

from app.core.columns import UTCDateTime

_AFTER_COMMIT = "after_commit"
# Writers queue behind each other in SQLite; five seconds outlast any transaction of ours.
_BUSY_TIMEOUT_MS = 5_000


class Base(DeclarativeBase):
    """What every table shares: named constraints, aware instants, native ids and JSON."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime, UUID: Uuid(), dict[str, Any]: JSON}


@dataclass(frozen=True)
class Database:
    """One database with two ways in: `write` takes the write lock at once, `read` never waits for it."""

    write: Engine
    read: Engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits when the block ends and then runs what `on_commit` registered."""
        with Session(self.write, expire_on_commit=False) as session:
            with session.begin():
                yield session
            run_after_commit(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads alone; the database refuses writes through it."""
        with Session(self.read, expire_on_commit=False) as session, session.begin():
            yield session

    def dispose(self) -> None:
        self.write.dispose()
        self.read.dispose()


def open_database(url: str) -> Database:
    """Engines for a database URL. Nothing is connected yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(parsed, pool_pre_ping=True)
        return Database(write=engine, read=engine)
    return Database(
        write=_sqlite_engine(parsed, begin="BEGIN IMMEDIATE", read_only=False),
        read=_sqlite_engine(parsed, begin="BEGIN", read_only=True),
    )


def count_changed(session: Session, statement: UpdateBase) -> int:
    """Execute a guarded write and say how many rows it changed: the answer to who was faster."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def on_commit(session: Session, call: Callable[[], object]) -> None:
    """Do this once the session's transaction is committed; forget it when it is rolled back."""
    session.info.setdefault(_AFTER_COMMIT, []).append(call)


def run_after_commit(session: Session) -> None:
    """Run and forget what `on_commit` gathered. For whoever commits a session."""
    for call in session.info.pop(_AFTER_COMMIT, []):
        call()


def forget_after_commit(session: Session) -> None:
    """Drop what `on_commit` gathered. For whoever rolls a session back."""
    session.info.pop(_AFTER_COMMIT, None)


def _sqlite_engine(url: URL, *, begin: str, read_only: bool) -> Engine:
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
