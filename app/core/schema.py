"""Whether the database has the tables this code was written for. Asked again every few seconds, never fatal."""

import time
from collections.abc import Callable
from enum import StrEnum
from threading import Lock

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import Database
from app.core.errors import Unavailable
from app.core.paths import MIGRATIONS

UPGRADE_COMMAND = "belfry db upgrade"
RECHECK_SECONDS = 5.0


class SchemaState(StrEnum):
    """How the database's schema compares with the code's."""

    CURRENT = "current"
    MISSING = "missing"  # no tables at all
    DIFFERENT = "different"  # migrations are outstanding, or the code is older than the database
    UNREACHABLE = "unreachable"


class SchemaNotReady(Unavailable):
    """The database cannot be used until it is upgraded."""


_SENTENCES = {
    SchemaState.MISSING: f"The database has no tables yet. Run: {UPGRADE_COMMAND}",
    SchemaState.DIFFERENT: f"The database does not match this version of Belfry. Run: {UPGRADE_COMMAND}",
    SchemaState.UNREACHABLE: "The database does not answer. Check that it runs and that BELFRY_DATABASE_URL is right.",
}


def newest_migration() -> str:
    """The revision that the code was written for."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    if head is None:
        raise RuntimeError(f"there are no migrations in {MIGRATIONS}")
    return head


class SchemaGate:
    """Says whether the database may be used. A current schema is trusted; anything else is looked at again."""

    def __init__(self, database: Database, *, expected: str, ticks: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._expected = expected
        self._ticks = ticks
        self._lock = Lock()
        self._state = SchemaState.UNREACHABLE
        self._looked_at: float | None = None

    def state(self) -> SchemaState:
        """The state, at most five seconds old."""
        with self._lock:
            if self._looked_at is None or self._ticks() - self._looked_at >= RECHECK_SECONDS:
                self._state = self._look()
                self._looked_at = self._ticks()
            return self._state

    def is_current(self) -> bool:
        return self.state() is SchemaState.CURRENT

    def sentence(self) -> str | None:
        """What is wrong and which command mends it; None when all is well."""
        return _SENTENCES.get(self.state())

    def require(self) -> None:
        """Raises SchemaNotReady unless the database can be used."""
        sentence = self.sentence()
        if sentence is not None:
            raise SchemaNotReady(sentence)

    def _look(self) -> SchemaState:
        try:
            with self._database.read.connect() as connection:
                if not inspect(connection).has_table("alembic_version"):
                    return SchemaState.MISSING
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
        except SQLAlchemyError:
            return SchemaState.UNREACHABLE
        if not found:
            return SchemaState.MISSING
        return SchemaState.CURRENT if list(found) == [self._expected] else SchemaState.DIFFERENT
