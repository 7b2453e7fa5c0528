"""How connections are made: SQLite for one machine, PostgreSQL for many. Nothing is connected at import."""

import hashlib
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.deadline import Deadline
from app.core.turns import Turns

# SQLite looks for so long whether its write lock is free, before it refuses.
_BUSY_TIMEOUT_MS = 5_000
# Writers queue behind each other there, and the longest transaction of ours lands all days of a first sync as a whole:
# a second, and many times that on a machine that is busy with other things.
WRITE_SECONDS = 20.0

# Nothing waits for ever on a connection whose other end is gone, and no forgotten transaction holds its locks.
_CONNECT_SECONDS = 5
_SESSION_SETTINGS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
    # Compiling a statement takes longer than any statement of a page may.
    "jit": "off",
}
_TCP = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 10_000}
# How long anybody waits for an answer. The server gives up on a statement before that, and TCP on a connection that is
# gone; what is left is a middleman who takes every packet and passes none on.
ANSWER_SECONDS = 35.0
# How long for the sign of life that is asked of a connection before it is used again.
PING_SECONDS = 4.0
# How long a request waits for a connection of its pool before it says that the database is busy.
_POOL_SECONDS = 10
_RECYCLE_SECONDS = 1_800
_HAS_TURN = "has_turn"
_LOCKED = "SQLITE_BUSY"


Answer = TypeVar("Answer")


class ServerSilent(psycopg.OperationalError):
    """The server did not answer in time. The connection is of no more use, and was closed."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that waits long for an answer, but not for ever."""

    answer_seconds: float | None = ANSWER_SECONDS

    def wait(self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None) -> Answer:
        """What psycopg does whenever it waits for the server."""
        limit = self.answer_seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except errors._WaitTimeout as error:
            if timeout is not None:
                raise
            # Whatever comes now would be taken for the answer to the next question.
            self.pgconn.finish()
            raise ServerSilent(f"no answer within {limit:.0f} seconds") from error


def wait_without_end(connection: Connection) -> None:
    """Let this connection's statements take as long as they need: a migration may."""
    connection.exec_driver_sql("SET statement_timeout = 0")
    driver: Any = connection.connection.driver_connection
    driver.answer_seconds = None


def postgres_engine(url: URL, *, connections: int, keeps_plans: bool, answer_seconds: float = ANSWER_SECONDS) -> Engine:
    """An engine with a pool of its own, of so many connections at most.

    `keeps_plans` lets the driver prepare what it sends often. A plan that was kept from a time when the tables were
    empty reads them from end to end once they are full, so whoever moves many rows at once does without. (Telling the
    server to plan every statement anew would do that for the checks of foreign keys too, one by one.)
    """
    options = " ".join(f"-c {name}={value}" for name, value in _SESSION_SETTINGS.items())
    engine = create_engine(
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
        # Errors are logged, and values hold addresses, hashes and what people wrote.
        hide_parameters=True,
    )

    def connect(_dialect: Any, _record: Any, words: tuple[Any, ...], options: dict[str, Any]) -> PatientConnection:
        connection = PatientConnection.connect(*words, **options)
        connection.answer_seconds = answer_seconds
        return connection

    event.listen(engine, "do_connect", connect)
    _ping_briefly(engine.dialect)
    return engine


def _ping_briefly(dialect: Any) -> None:
    plain = dialect.do_ping

    def ping(connection: PatientConnection) -> bool:
        usual, connection.answer_seconds = connection.answer_seconds, PING_SECONDS
        try:
            return bool(plain(connection))
        finally:
            connection.answer_seconds = usual

    dialect.do_ping = ping


def sqlite_engine(url: URL, *, begin: str, read_only: bool) -> Engine:
    """An engine whose transactions begin with these words."""
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000}, hide_parameters=True)

    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling begins too late: read-modify-write then loses updates.
        connection.isolation_level = None
        # Its own knows no capitals but those of ASCII, and whoever searches without regard to them means all.
        connection.create_function("lower", 1, _in_lower_case, deterministic=True)
        connection.create_function("sha256", 1, _digest, deterministic=True)
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
    if not read_only:
        _write_in_turn(engine)
    patience = 0.0 if read_only else WRITE_SECONDS
    event.listen(engine, "begin", lambda connection: begin_in_time(connection, begin, seconds=patience))
    return engine


def begin_in_time(connection: Connection, words: str, *, seconds: float) -> None:
    """Begin a transaction, and again while the write lock is another process's, for so long. Raises OperationalError.

    Nothing was done yet that could be half done: a refusal here is asked about again, and no later one is.
    """
    deadline = Deadline.after(seconds)
    while True:
        try:
            connection.exec_driver_sql(words)
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorname", None) != _LOCKED or deadline.has_passed:
                raise
        else:
            return


def _in_lower_case(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _digest(text: str) -> bytes:
    """As PostgreSQL's function of this name."""
    return hashlib.sha256(text.encode()).digest()


def _write_in_turn(engine: Engine) -> None:
    """Let the threads of this process queue for the write lock.

    SQLite has no queue: who waits looks now and then, and busy threads in between may keep the lock from it for ever.
    """
    turns = Turns()

    def wait(connection: Connection) -> None:
        if not connection.info.get(_HAS_TURN):
            # Without a turn it is SQLite's to refuse, which it does after its own time.
            connection.info[_HAS_TURN] = turns.take(seconds=WRITE_SECONDS)

    def leave(_connection: Any, record: ConnectionPoolEntry) -> None:
        if record.info.pop(_HAS_TURN, False):
            turns.leave()

    event.listen(engine, "begin", wait)
    # After the end of the transaction, however it ended.
    event.listen(engine, "checkin", leave)
