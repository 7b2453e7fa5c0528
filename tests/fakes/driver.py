"""Faults at the database's driver: what was done but reported as failed, and what was neither done nor answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any
from unittest.mock import patch

from psycopg.errors import DiskFull
from psycopg.pq.abc import PGresult
from sqlalchemy import Dialect

from app.core.db import Database
from app.core.lane import Track


class Fault(Enum):
    """What becomes of a commit that is reported as failed."""

    EXECUTED_BUT_REPORTED_FAILED = "executed"
    REPORTED_FAILED_AND_NOT_EXECUTED = "not executed"


@contextmanager
def commits_failing(database: Database, fault: Fault, *, times: int = 1) -> Iterator[None]:
    """Let the next commits of this database fail, each with its effect or without."""
    dialect: Any = database.write.dialect
    plain: Callable[[Any], None] = dialect.do_commit
    left = times

    def ask(plain_way: Callable[..., Any], *words: Any) -> Any:
        nonlocal left
        if left == 0:
            return plain_way(*words)
        left -= 1
        if fault is Fault.EXECUTED_BUT_REPORTED_FAILED:
            plain_way(*words)
        raise lost_connection(dialect)

    def send(track: Track, words: bytes) -> list[PGresult]:
        answers: list[PGresult] = ask(plain_send, track, words) if b"EXECUTE" in words else plain_send(track, words)
        return answers

    plain_send = Track._send
    with _misled(dialect, "do_commit", lambda connection: ask(plain, connection), send):
        yield


@contextmanager
def statements_failing(database: Database, beginning: str) -> Iterator[None]:
    """Let the next statement that begins so fail after it was executed. Its transaction is taken back.

    By the short way to PostgreSQL a whole transaction is one question, and the next one is refused.
    """
    dialect: Any = database.write.dialect
    plain: Callable[..., None] = dialect.do_execute
    has_failed = False

    def execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        nonlocal has_failed
        plain(cursor, statement, parameters, context)
        if not has_failed and statement.startswith(beginning):
            has_failed = True
            raise lost_connection(dialect)

    def send(track: Track, words: bytes) -> list[PGresult]:
        nonlocal has_failed
        if not has_failed and b"EXECUTE" in words:
            has_failed = True
            raise DiskFull("no room")
        return plain_send(track, words)

    plain_send = Track._send
    with _misled(dialect, "do_execute", execute, send):
        yield


@contextmanager
def _misled(dialect: Any, name: str, instead: Callable[..., Any], send: Callable[..., Any]) -> Iterator[None]:
    """Both ways to a database, the dialect's and the short one to PostgreSQL, with something else in their places."""
    setattr(dialect, name, instead)
    with patch.object(Track, "_send", send):
        try:
            yield
        finally:
            delattr(dialect, name)


def lost_connection(dialect: Dialect) -> Exception:
    """What a driver raises when the other end went away."""
    error: Exception = dialect.loaded_dbapi.OperationalError("the connection is lost")
    return error
