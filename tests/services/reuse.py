"""A PostgreSQL database that tests use one after the other. Putting it back costs a tenth of making another one."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from tests.services.postgres import PostgresUrls

MakeDatabase = Callable[[], AbstractContextManager[PostgresUrls]]
Connection = psycopg.Connection[TupleRow]

# What is deleted stays in the files, and with time it shows in how the server plans.
MOST_USES = 50
# The server notices a moment later that somebody has hung up.
PATIENCE_SECONDS = 0.5

# Whoever changes anything of the schema leaves another number of rows, or other transactions that wrote them.
_SCHEMA = " UNION ALL ".join(
    f"SELECT count(*), sum(xmin::text::numeric) FROM {catalog} WHERE {condition}"
    for catalog, condition in {
        "pg_class": "oid >= 16384",
        "pg_attribute": "attrelid >= 16384",
        "pg_attrdef": "true",
        "pg_constraint": "oid >= 16384",
        "pg_index": "indexrelid >= 16384",
        "pg_namespace": "true",
        "pg_policy": "true",
        "pg_proc": "oid >= 16384",
        "pg_trigger": "true",
        "pg_type": "oid >= 16384",
        "pg_default_acl": "true",
        "pg_extension": "true",
        "pg_statistic": "true",
        "pg_db_role_setting": "true",
        "pg_database": "datname = current_database()",
    }.items()
)
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
_SEQUENCES = "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace ORDER BY 1"
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


class FirstState:
    """What a database was like before anybody used it: its schema, the few rows in it, where its sequences stand."""

    def __init__(self, connection: Connection) -> None:
        self.schema = connection.execute(_SCHEMA).fetchall()
        self._tables = _names(connection, _TABLES)
        standing = {name: _standing(connection, name) for name in _names(connection, _SEQUENCES)}
        contents = {table: _contents(connection, table) for table in self._tables}
        self._contents = {table: rows for table, rows in contents.items() if rows is not None}
        setting = sql.SQL("setval({}::regclass, {}, {})")
        self._begin_anew = sql.SQL("SELECT {}").format(
            sql.SQL(", ").join(setting.format(f'"{name}"', last, called) for name, (last, called) in standing.items())
        )
        self._look = _union(self._look_at(table) for table in self._tables)

    def restore(self, connection: Connection) -> None:
        """Put every table and sequence back that is another one now."""
        changed = [name for name, is_changed in connection.execute(self._look, prepare=True) if is_changed]
        # Neither triggers nor references are asked: all of it goes back together.
        connection.execute("SET LOCAL session_replication_role = replica")
        for table in changed:
            connection.execute(_statement("DELETE FROM {}", table))
            if table in self._contents:
                copy = "INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::{0}, %s)"
                connection.execute(_statement(copy, table), [self._contents[table]])
        connection.execute(self._begin_anew, prepare=True)

    def _look_at(self, table: str) -> sql.Composed:
        if table in self._contents:
            now = sql.SQL("(SELECT json_agg(t ORDER BY t::text)::text FROM {} AS t) IS DISTINCT FROM {}").format(
                sql.Identifier(table), sql.Literal(self._contents[table])
            )
        else:
            now = sql.SQL("EXISTS (SELECT 1 FROM {})").format(sql.Identifier(table))
        return sql.SQL("SELECT {}, {}").format(sql.Literal(table), now)


@dataclass(frozen=True)
class _Lent:
    """A database as long as it is used again and again, and a connection to put it back with."""

    context: AbstractContextManager[PostgresUrls]
    urls: PostgresUrls
    connection: Connection
    first: FirstState

    @classmethod
    def begin(cls, context: AbstractContextManager[PostgresUrls]) -> "_Lent":
        urls = context.__enter__()
        connection = psycopg.connect(urls.admin.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)
        return cls(context, urls, connection, FirstState(connection))

    def end(self) -> None:
        self.connection.close()
        self.context.__exit__(None, None, None)

    def put_back(self) -> bool:
        """Whether it is as at first again. It is not while somebody still is connected, or has changed its schema."""
        try:
            return self._is_unchanged() and self._restore()
        except psycopg.OperationalError:
            # Somebody has ended all connections to it.
            return False

    def _is_unchanged(self) -> bool:
        return self._is_alone() and self.connection.execute(_SCHEMA, prepare=True).fetchall() == self.first.schema

    def _restore(self) -> bool:
        with self.connection.transaction():
            self.first.restore(self.connection)
        return True

    def _is_alone(self) -> bool:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while _value(self.connection, _OTHERS):
            # Statistics are the same for a whole transaction, and this is one each time.
            if time.monotonic() > give_up:
                return False
            time.sleep(0.002)
        return True


class ReusedDatabase:
    """Hands out one database, again and again; another one when somebody did to it what cannot be undone."""

    def __init__(self, make: MakeDatabase) -> None:
        self._make = make
        self._current: _Lent | None = None
        self._uses = 0

    @contextmanager
    def lend(self) -> Iterator[PostgresUrls]:
        """The database in its first state. Only one at a time has it."""
        current = self._current or self._begin()
        # Until it is put back, nobody else gets it.
        self._current = None
        try:
            yield current.urls
        finally:
            self._uses += 1
            if self._uses < MOST_USES and current.put_back():
                self._current = current
            else:
                current.end()

    def close(self) -> None:
        if self._current is not None:
            self._current.end()
            self._current = None

    def _begin(self) -> _Lent:
        self._uses = 0
        return _Lent.begin(self._make())


def _value(connection: Connection, query: LiteralString | sql.Composed) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _names(connection: Connection, query: LiteralString) -> list[str]:
    return [name for (name,) in connection.execute(query)]


def _contents(connection: Connection, table: str) -> str | None:
    query = _statement("SELECT json_agg(t ORDER BY t::text)::text FROM {} AS t", table)
    return cast("str | None", _value(connection, query))


def _standing(connection: Connection, sequence: str) -> tuple[int, bool]:
    row = connection.execute(_statement("SELECT last_value, is_called FROM {}", sequence)).fetchone()
    assert row is not None
    return row[0], row[1]


def _statement(text: LiteralString, name: str) -> sql.Composed:
    return sql.SQL(text).format(sql.Identifier(name))


def _union(parts: Iterator[sql.Composed]) -> sql.Composed:
    return sql.SQL(" UNION ALL ").join(parts)
