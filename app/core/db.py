"""Sessions and transactions. The only place that opens a connection; edges and loops say when to commit."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import JSON, CursorResult, Engine, Index, MetaData, UniqueConstraint, UpdateBase, Uuid, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlalchemy.orm import DeclarativeBase, Session

from app.core.columns import UTCDateTime
from app.core.engines import ANSWER_SECONDS, postgres_engine, sqlite_engine
from app.core.lane import Lane
from app.core.scopes import SCOPE, Scope

_AFTER_COMMIT = "after_commit"
# Deadlock and serialization failure: the database took one of two transactions back, and asks to try it again.
_TRY_AGAIN = {"40P01", "40001"}
MOST_TRIES = 5
_LONGEST_PAUSE_SECONDS = 0.1

# The database, and not what it was asked: it is away or busy for now. psycopg calls it internal when a server takes no
# writes, as after a failover, and when our own time-out ended a transaction that idled.
OUTAGES = (OperationalError, InterfaceError, InternalError, NoConnectionInTime)

Result = TypeVar("Result")


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


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over those rows alone that matter now, however long the history is."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def index_of_given(name: str, *columns: str, given: str) -> Index:
    """An index of the rows that have a value in that column, which may be all of them.

    On PostgreSQL it is only for those who ask for values of that column. SQLite would hardly ever take it then, so
    there it holds all rows.
    """
    return Index(name, *columns, postgresql_where=text(f"{given} IS NOT NULL"))


def unique_where_given(table: str, *columns: str) -> tuple[UniqueConstraint, Index]:
    """Unique among the rows that have a value in the last of these columns. The others take no room in the index.

    SQLite, where tables are made anew to be changed, keeps all of them.
    """
    named = "_".join((table, *columns))
    index = Index(f"ux_{named}", *columns, unique=True, postgresql_where=text(f"{columns[-1]} IS NOT NULL"))
    constraint = UniqueConstraint(*columns, name=f"uq_{named}")
    return constraint.ddl_if(dialect="sqlite"), index.ddl_if(dialect="postgresql")


@dataclass(frozen=True)
class Database:
    """One database with two ways in: `write` takes SQLite's write lock at once, `read` refuses to write."""

    write: Engine
    read: Engine

    @contextmanager
    def transaction(self, scope: Scope) -> Iterator[Session]:
        """A session that commits when the block ends and then runs what `on_commit` registered."""
        with Session(self.write, expire_on_commit=False, info={SCOPE: scope}) as session:
            with session.begin():
                yield session
            run_after_commit(session)

    @contextmanager
    def reading(self, scope: Scope) -> Iterator[Session]:
        """A session for reads alone; the database refuses writes through it."""
        with Session(self.read, expire_on_commit=False, info={SCOPE: scope}) as session, session.begin():
            yield session

    def run(self, scope: Scope, work: Callable[[Session], Result]) -> Result:
        """Do it in a transaction, and again from the start when another one was in its way."""

        def attempt() -> Result:
            with self.transaction(scope) as session:
                return work(session)

        return again_after_conflict(attempt)

    @cached_property
    def lane(self) -> Lane | None:
        """The short way for what every run does; None on SQLite, where no way is long."""
        return Lane(self.write) if self.is_postgres else None

    @property
    def is_postgres(self) -> bool:
        return self.write.dialect.name == "postgresql"

    def leave_to_parent(self) -> None:
        """In a forked process: use none of the connections that its parent goes on with, and close none of them."""
        self.write.dispose(close=False)
        self.read.dispose(close=False)
        if self.lane is not None:
            self.lane.leave_to_parent()

    def dispose(self) -> None:
        if self.lane is not None:
            self.lane.dispose()
        self.write.dispose()
        self.read.dispose()


def open_database(
    url: str, *, connections: int = 5, keeps_plans: bool = True, answer_seconds: float = ANSWER_SECONDS
) -> Database:
    """Engines for a database URL, with so many connections at most. Nothing is connected yet.

    Without `keeps_plans` PostgreSQL plans every statement for the rows it meets. Whoever waits `answer_seconds` for an
    answer of a server takes it for one that does not come.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(
            write=sqlite_engine(parsed, begin="BEGIN IMMEDIATE", read_only=False),
            read=sqlite_engine(parsed, begin="BEGIN", read_only=True),
        )
    engine = postgres_engine(parsed, connections=connections, keeps_plans=keeps_plans, answer_seconds=answer_seconds)
    return Database(write=engine, read=engine.execution_options(postgresql_readonly=True))


def again_after_conflict(attempt: Callable[[], Result]) -> Result:
    """Call it, and again while the database took its transaction back for another's sake. Five times at most."""
    for remaining in range(MOST_TRIES - 1, 0, -1):
        try:
            return attempt()
        except DBAPIError as error:
            if not was_in_conflict(error):
                raise
            # Each waits a different while, or the same two would meet again.
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS / remaining))  # noqa: S311 - no secret
    return attempt()


def was_in_conflict(error: BaseException) -> bool:
    """Whether the same transaction would go through when it is tried again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _TRY_AGAIN


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
