"""Waiting for the write lock of SQLite, which another process holds for longer than SQLite itself would wait."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from app.core import engines
from app.core.db import Database, open_database
from app.core.scopes import NOBODY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "one.db"


@pytest.fixture
def holder(path: Path) -> Iterator[sqlite3.Connection]:
    """Another process, as far as SQLite can tell."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE notes (said TEXT)")
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.fixture
def database(path: Path, holder: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(engines, "_BUSY_TIMEOUT_MS", 1)
    found = open_database(f"sqlite:///{path}")
    yield found
    found.dispose()


def refusals_of(database: Database) -> list[str]:
    """What SQLite refused so far."""
    found: list[str] = []
    event.listen(database.write, "handle_error", lambda context: found.append(str(context.original_exception)))
    return found


def write(database: Database) -> None:
    with database.transaction(NOBODY) as session:
        session.execute(text("INSERT INTO notes VALUES ('here')"))


def test_goes_on_after_refusals_until_the_lock_is_free(database: Database, holder: sqlite3.Connection) -> None:
    refused = refusals_of(database)

    def let_go(_context: object) -> None:
        if len(refused) == 3:
            holder.execute("COMMIT")

    event.listen(database.write, "handle_error", let_go)

    write(database)

    assert refused == ["database is locked"] * 3
    assert holder.execute("SELECT said FROM notes").fetchall() == [("here",)]


def test_ends_when_it_has_waited_long_enough(
    path: Path, holder: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_BUSY_TIMEOUT_MS", 1)
    monkeypatch.setattr(engines, "WRITE_SECONDS", 0.0)
    database = open_database(f"sqlite:///{path}")
    refused = refusals_of(database)

    with pytest.raises(OperationalError, match="database is locked"):
        write(database)

    assert len(refused) == 1
    holder.execute("COMMIT")
    write(database)
    database.dispose()


def test_of_what_is_wrong_otherwise_is_not_asked_again(database: Database, holder: sqlite3.Connection) -> None:
    refused = refusals_of(database)
    holder.execute("COMMIT")

    with pytest.raises(OperationalError, match="no such table"), database.transaction(NOBODY) as session:
        session.execute(text("INSERT INTO elsewhere VALUES (1)"))

    assert len(refused) == 1
