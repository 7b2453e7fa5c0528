"""Whether the database has the tables this code was written for. Asked again every few seconds, never fatal."""

import logging
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cache
from threading import Lock

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from app.core.db import Database
from app.core.errors import Unavailable
from app.core.paths import MIGRATIONS
from app.core.powers import has_its_roles, is_all_well, is_too_powerful

log = logging.getLogger(__name__)

UPGRADE_COMMAND = "belfry db upgrade"
SETUP_COMMAND = "belfry db setup"
RECHECK_SECONDS = 5.0


class SchemaState(StrEnum):
    """How the database's schema compares with the code's."""

    CURRENT = "current"
    MISSING = "missing"  # no tables at all
    OLDER = "older"  # migrations are outstanding
    NEWER = "newer"  # a later version of Belfry has upgraded it
    UNREACHABLE = "unreachable"
    ROLES_MISSING = "roles_missing"  # the login cannot take on the roles that it is to work in
    LOGIN_TOO_POWERFUL = "login_too_powerful"  # row-level security would not hold it back


class SchemaNotReady(Unavailable):
    """The database cannot be used until it is upgraded."""


_SENTENCES = {
    SchemaState.MISSING: f"The database has no tables yet. Run: {UPGRADE_COMMAND}",
    SchemaState.OLDER: f"The database is older than this version of Belfry. Run: {UPGRADE_COMMAND}",
    SchemaState.NEWER: (
        "The database was upgraded by a newer version of Belfry than this process is of. Install that version here, "
        "then restart it."
    ),
    SchemaState.UNREACHABLE: "The database does not answer. Check that it runs and that BELFRY_DATABASE_URL is right.",
    SchemaState.ROLES_MISSING: f"The database has no roles for this login yet. Run: {SETUP_COMMAND}",
    SchemaState.LOGIN_TOO_POWERFUL: (
        "The login in BELFRY_DATABASE_URL may do too much: it is a superuser, may bypass row-level security, make "
        "roles or tables, owns something here, or inherits from such a login, so nothing would keep one organization "
        "from another. Name an ordinary login there and an owner in BELFRY_DATABASE_ADMIN_URL, then run: "
        f"{SETUP_COMMAND}"
    ),
}


def newest_migration() -> str:
    """The revision that the code was written for."""
    return max(known_migrations())


@cache
def known_migrations() -> frozenset[str]:
    """Every revision that this code has heard of: each file's name begins with its own, and they count up.

    What reads the files themselves would take a tenth of a worker's memory.
    """
    return frozenset(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


class SchemaGate:
    """Says whether the database may be used, at most five seconds after that changed.

    `is_strict` also refuses a login that row-level security would not hold back: what production does. `others` are
    the process's other ways to the same database.
    """

    def __init__(
        self,
        database: Database,
        *,
        expected: str,
        is_strict: bool = False,
        others: Sequence[Database] = (),
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_strict = is_strict
        self._database = database
        self._others = others
        self._expected = expected
        self._ticks = ticks
        self._lock = Lock()
        self._state = SchemaState.UNREACHABLE
        self._looked_at: float | None = None

    def state(self) -> SchemaState:
        """The state, at most five seconds old."""
        # Whoever comes while another looks goes by what was seen last: that look may wait for a connection they hold.
        if self._is_old() and self._lock.acquire(blocking=self._looked_at is None):
            try:
                self._look_again()
            finally:
                self._lock.release()
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

    def refuse_powerful_login(self) -> None:
        """Raises SchemaNotReady when production would serve with a login that row-level security does not hold back.

        For the start of a process: a database that is away for now says nothing about its login, and is no reason.
        """
        if self.state() is SchemaState.LOGIN_TOO_POWERFUL:
            raise SchemaNotReady(_SENTENCES[SchemaState.LOGIN_TOO_POWERFUL])

    def _is_old(self) -> bool:
        return self._looked_at is None or self._ticks() - self._looked_at >= RECHECK_SECONDS

    def _look_again(self) -> None:
        if self._is_old():
            found = self._look()
            self._say(found)
            if self._looked_at is not None and self._state is SchemaState.UNREACHABLE is not found:
                self._leave_old_connections()
            self._state = found
            self._looked_at = self._ticks()

    def _leave_old_connections(self) -> None:
        # They are from before the database went away. Whoever takes one finds that out by a time-out of its own.
        for database in (self._database, *self._others):
            database.dispose()

    def _say(self, found: SchemaState) -> None:
        # Changes alone: whoever reads the log learns why nothing begins any more, and when it does again. How it was
        # at the first look is for whoever looked to say.
        if self._looked_at is None or self._state is found:
            return
        if found is SchemaState.CURRENT:
            log.warning("database can be used again")
        else:
            log.error("database cannot be used", extra={"problem": _SENTENCES[found]})

    def _look(self) -> SchemaState:
        try:
            if self._is_all_well():
                return SchemaState.CURRENT
        except ProgrammingError:
            # No tables, or none that may be read: which of the two, is found out step by step.
            return self._look_closely()
        except SQLAlchemyError:
            return SchemaState.UNREACHABLE
        return self._look_closely()

    def _is_all_well(self) -> bool:
        """Pages ask again every few seconds, and nearly always hear that it is: one statement says so on a server."""
        if not self._database.is_postgres:
            return False
        login = self._database.write.url.username or ""
        with self._database.read.connect() as connection:
            return is_all_well(connection, login, version=self._expected, is_strict=self._is_strict)

    def _look_closely(self) -> SchemaState:
        try:
            with self._database.read.connect() as connection:
                if not inspect(connection).has_table("alembic_version"):
                    return SchemaState.MISSING
                # Asked first: a login that may read nothing at all has a problem with a name.
                problem = self._login_problem(connection)
                if problem is not None:
                    return problem
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
        except ProgrammingError:
            # The server answers, and lets the login read nothing: a restored copy without its rights, for example.
            return SchemaState.ROLES_MISSING
        except SQLAlchemyError:
            return SchemaState.UNREACHABLE
        return self._judge(found)

    def _judge(self, found: Sequence[str]) -> SchemaState:
        if not found:
            return SchemaState.MISSING
        if list(found) == [self._expected]:
            return SchemaState.CURRENT
        return SchemaState.OLDER if known_migrations().issuperset(found) else SchemaState.NEWER

    def _login_problem(self, connection: Connection) -> SchemaState | None:
        if not self._database.is_postgres:
            return None
        login = self._database.write.url.username or ""
        if self._is_strict and is_too_powerful(connection, login):
            return SchemaState.LOGIN_TOO_POWERFUL
        return None if has_its_roles(connection, login) else SchemaState.ROLES_MISSING
