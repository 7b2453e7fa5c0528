"""A PostgreSQL cluster for one test run, with a template that was set up by Belfry itself. Nothing in it is kept."""

import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from app.core.ids import new_id
from tests.services.folder import ServiceFolder
from tests.services.missing import ServiceMissing

OLDEST_VERSION = 14
START_SECONDS = 30
SUPERUSER = "postgres"
# What Belfry signs in as. It may take on the roles of its installation, and has no right of its own.
LOGIN = "belfry"
TEMPLATE = "belfry_template"
# Safe against nothing and therefore fast: the data is gone after the tests anyway.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "shared_buffers": "64MB",
    "max_connections": "200",
}


@dataclass(frozen=True)
class PostgresUrls:
    """Two ways into one database: what Belfry is given to work with, and what it is set up with."""

    login: str
    admin: str


class PostgresCluster:
    """Starts when it is first asked for a database."""

    def __init__(self, folder: ServiceFolder, *, settings: Mapping[str, str] = SERVER_SETTINGS) -> None:
        self._folder = folder
        self._home = folder.path / "postgres"
        self._settings = settings

    def urls(self, name: str, *, login: str = LOGIN) -> PostgresUrls:
        """The URLs of a database, also of one that does not exist yet."""
        place = f"/{name}?host={self._home}"
        return PostgresUrls(f"postgresql+psycopg://{login}@{place}", f"postgresql+psycopg://{SUPERUSER}@{place}")

    @contextmanager
    def database(self, set_up: Callable[[PostgresUrls], None], *, is_empty: bool = False) -> Iterator[PostgresUrls]:
        """A database of one's own: a copy of what the function made for the first one, or empty.

        The login is there in any case: where there is a database, somebody has made the one who may connect to it.
        """
        self._folder.once("postgres", self._start)
        self._folder.once("template", lambda: self._make_template(set_up))
        name = f"test_{new_id().hex}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, "template1" if is_empty else TEMPLATE)
        yield self.urls(name)
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def _start(self) -> None:
        programs = find_programs()
        user = unprivileged_user()
        self._home.mkdir(mode=0o700)
        if user is not None:
            os.chown(self._home, user, -1)
        data = self._home / "data"
        initdb = [programs / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C"]
        made = subprocess.run(
            [*map(str, initdb), "--no-sync"],
            cwd=self._home,
            user=user,
            extra_groups=None if user is None else [],
            check=False,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(self._home), *settings]
        self._folder.keep("postgres", command, user=user)
        self._wait()

    def _wait(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                return self._execute("SELECT 1")
            except psycopg.OperationalError:
                log = self._folder.path / "postgres.log"
                said = log.read_text() if log.exists() else "nothing"
                assert time.monotonic() < give_up, f"PostgreSQL did not start. It said: {said}"
                time.sleep(0.02)

    def _make_template(self, set_up: Callable[[PostgresUrls], None]) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", TEMPLATE)
        self._execute("CREATE DATABASE {}", TEMPLATE)
        set_up(self.urls(TEMPLATE))
        # Copying needs a template that nobody is connected to.
        self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", TEMPLATE)

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(host=str(self._home), user=SUPERUSER, dbname="postgres", autocommit=True) as connection:
            # The statements are those of this module; the names are quoted.
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


def find_programs() -> Path:
    """The folder with the newest PostgreSQL server of this machine. Raises ServiceMissing."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql*/bin")]
    on_path = shutil.which("postgres")
    folders += [Path(on_path).parent] if on_path else []
    versions = {folder: _version(folder) for folder in folders if (folder / "initdb").exists()}
    newest = max(versions, key=versions.__getitem__, default=None)
    if newest is None or versions[newest] < OLDEST_VERSION:
        raise ServiceMissing(f"a PostgreSQL server of version {OLDEST_VERSION} or newer", "postgresql")
    return newest


def _version(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], check=False, capture_output=True, text=True).stdout
    found = re.search(r"\d+", said)
    return int(found.group()) if found else 0


def unprivileged_user() -> int | None:
    """Who runs the server when the tests run as root, which PostgreSQL refuses to do."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return known.get("postgres", known["nobody"])
