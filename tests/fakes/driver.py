"""Faults at the database's driver: what was done but reported as failed, and what was neither done nor answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from sqlalchemy import Dialect

from app.core.db import Database


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

    def commit(connection: Any) -> None:
        nonlocal left
        if left == 0:
            plain(connection)
            return
        left -= 1
        if fault is Fault.EXECUTED_BUT_REPORTED_FAILED:
            plain(connection)
        raise lost_connection(dialect)

    dialect.do_commit = commit
    try:
        yield
    finally:
        del dialect.do_commit


@contextmanager
def statements_failing(database: Database, beginning: str) -> Iterator[None]:
    """Let the next statement that begins so fail after it was executed. Its transaction is taken back."""
    dialect: Any = database.write.dialect
    plain: Callable[..., None] = dialect.do_execute
    has_failed = False

    def execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        nonlocal has_failed
        plain(cursor, statement, parameters, context)
        if not has_failed and statement.startswith(beginning):
            has_failed = True
            raise lost_connection(dialect)

    dialect.do_execute = execute
    try:
        yield
    finally:
        del dialect.do_execute


def lost_connection(dialect: Dialect) -> Exception:
    """What a driver raises when the other end went away."""
    error: Exception = dialect.loaded_dbapi.OperationalError("the connection is lost")
    return error
