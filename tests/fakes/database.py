"""A database as tests use it: they see and change everything, and the app they test only what it may."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from app.core.db import Database, open_database
from app.core.scopes import NOBODY, SCOPE, Scope

# Nobody in particular on a connection of the owner of the tables, or on SQLite: no policy applies.
EVERYTHING = NOBODY


@dataclass(frozen=True)
class OpenDatabase(Database):
    """Without a scope, its sessions may do everything; with one, they are what the app's are."""

    owner: Database

    @contextmanager
    def transaction(self, scope: Scope | None = None) -> Iterator[Session]:
        if scope is not None:
            with super().transaction(scope) as session:
                yield session
            return
        with self.owner.transaction(EVERYTHING) as session:
            yield session

    @contextmanager
    def reading(self, scope: Scope | None = None) -> Iterator[Session]:
        if scope is not None:
            with super().reading(scope) as session:
                yield session
            return
        with self.owner.reading(EVERYTHING) as session:
            yield session

    def session(self) -> Session:
        """A session that may do everything, and whose changes nobody commits."""
        return Session(self.owner.write, expire_on_commit=False, info={SCOPE: EVERYTHING})

    def dispose(self) -> None:
        super().dispose()
        self.owner.dispose()


def open_everything(url: str, *, admin_url: str | None = None, connections: int = 5) -> OpenDatabase:
    """The database as the app opens it, and beside that as the owner of its tables."""
    database = open_database(url, connections=connections)
    owner = database if admin_url is None else _owner(url, admin_url)
    return OpenDatabase(write=database.write, read=database.read, owner=owner)


def _owner(url: str, admin_url: str) -> Database:
    # The URL stays the login's: roles are named after it, and tests may hand these sessions to what takes one on.
    engine = create_engine(url, connect_args={"user": make_url(admin_url).username, "options": "-c timezone=UTC"})
    return Database(write=engine, read=_read_only(engine))


def _read_only(engine: Engine) -> Engine:
    return engine.execution_options(postgresql_readonly=True)
