"""What is asked of a database, one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.core.db import Database

_OF_THE_CONNECTION = ("BEGIN", "PRAGMA", "SET ")


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements meanwhile of those who read and of those who write, but for those that say who is asking."""
    statements: list[str] = []
    contexts: set[Any] = set()

    def keep(_c: Any, _cursor: Any, statement: str, _p: Any, context: Any, _many: bool) -> None:
        # Where one engine is made of the other, each of them tells of it.
        if not statement.startswith(_OF_THE_CONNECTION) and "set_config" not in statement and context not in contexts:
            contexts.add(context)
            statements.append(statement)

    engines = (database.read, database.write)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", keep)
    try:
        yield statements
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", keep)
