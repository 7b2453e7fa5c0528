"""Fixtures that every kind of test shares: a migrated database, a clock to move, an app and people."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.core import schema
from app.core.config import Settings, read_settings
from app.edge.database_setup import administering, bring_up_to_date
from app.factory import create_app
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase, open_everything
from tests.fakes.once import make_apps_fast
from tests.fakes.vault import VAULT_KEY
from tests.services.folder import OwnServiceFolder, ServiceFolder
from tests.services.memory import make_folder
from tests.services.postgres import PostgresUrls
from tests.services.reuse import ReusedDatabase
from tests.services.services import Services

SetUpPostgres = Callable[[PostgresUrls], None]
SERVICE_FOLDER = pytest.StashKey[OwnServiceFolder]()
MEMORY_FOLDER = pytest.StashKey[Path | None]()

# Thousands of tests and what they import stay until the end. To look through them again and again for garbage takes a
# third of the whole time; what tests leave behind is found as well when somebody looks less often.
gc.set_threshold(100_000, 10, 10)

# Its runs would be counted by whoever counts runs.
NO_CANARY = {"BELFRY_CANARY": "off"}


# Before pytest itself decides where the folders of tests are.
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    make_apps_fast()
    # Also for the processes that tests start.
    os.environ.update(NO_CANARY)
    # Workers use the folders of the process that started them, which outlives them all.
    if not hasattr(config, "workerinput"):
        config.stash[SERVICE_FOLDER] = OwnServiceFolder()
        if config.option.basetemp is None:
            config.stash[MEMORY_FOLDER] = config.option.basetemp = make_folder()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVICE_FOLDER in config.stash:
        config.stash[SERVICE_FOLDER].close()
    folder = config.stash.get(MEMORY_FOLDER, None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def make_settings(folder: Path, **more: str) -> Settings:
    """Settings of an installation that lives in one folder."""
    environ = {
        "BELFRY_DATA_DIR": str(folder), "BELFRY_SECRET_KEY": "k" * 48, "BELFRY_VAULT_KEYS": VAULT_KEY,
        **NO_CANARY, **more,
    }  # fmt: skip
    return read_settings(environ, folder=folder)


def postgres_settings(urls: PostgresUrls) -> dict[str, str]:
    """What an installation on PostgreSQL is told beside the rest."""
    # What is not embedded has to be given the keys it seals with.
    return {
        "BELFRY_DATABASE_URL": urls.login,
        "BELFRY_DATABASE_ADMIN_URL": urls.admin,
        "BELFRY_VAULT_KEYS": VAULT_KEY,
    }


def set_up(settings: Settings) -> None:
    """What `belfry db setup` does."""
    app = create_app(administering(settings), kinds={})
    bring_up_to_date(app, settings)
    # On SQLite, closing the last connection moves the write-ahead log into the file; PostgreSQL copies no database
    # that somebody is connected to.
    app.extensions["belfry"].database.dispose()


@pytest.fixture(scope="session")
def services() -> Services:
    """PostgreSQL and Redis. They start when a test asks one of them for a database."""
    return Services(ServiceFolder.of_this_run())


@pytest.fixture
def redis_url(services: Services) -> str:
    """An empty database of a Redis. Other tests use that Redis at the same time, so nobody may stop or flush it."""
    return services.redis.empty_database()


@pytest.fixture(scope="session")
def set_up_postgres(tmp_path_factory: pytest.TempPathFactory) -> SetUpPostgres:
    """Sets a PostgreSQL database up, as an operator does."""
    return lambda urls: set_up(make_settings(tmp_path_factory.mktemp("setup"), **postgres_settings(urls)))


@pytest.fixture(scope="module")
def installed_postgres(services: Services, set_up_postgres: SetUpPostgres) -> Iterator[Callable[[], PostgresUrls]]:
    """Makes PostgreSQL databases that are set up and otherwise empty, for as long as a module of tests runs."""
    with ExitStack() as databases:
        yield lambda: databases.enter_context(services.postgres.database(set_up_postgres))


@pytest.fixture(scope="session")
def reused_postgres(services: Services, set_up_postgres: SetUpPostgres) -> Iterator[ReusedDatabase]:
    """One for all tests of this process, as long as they leave it in a state to be put right."""
    reused = ReusedDatabase(lambda: services.postgres.database(set_up_postgres))
    yield reused
    reused.close()


@pytest.fixture
def postgres(reused_postgres: ReusedDatabase) -> Iterator[PostgresUrls]:
    """A PostgreSQL database that is set up and otherwise empty."""
    with reused_postgres.lend() as urls:
        yield urls


@pytest.fixture
def empty_postgres(services: Services, set_up_postgres: SetUpPostgres) -> Iterator[PostgresUrls]:
    """A PostgreSQL database without anything in it. Login and roles are there, because others have them too."""
    with services.postgres.database(set_up_postgres, is_empty=True) as urls:
        yield urls


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database. Tests copy the file, which takes a millisecond; migrating takes half a second."""
    folder = tmp_path_factory.mktemp("template")
    set_up(make_settings(folder))
    return folder / "belfry.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """What the database of a test is. Tests about one of the two say so with a fixture of this name."""
    name: str = request.param
    return name


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings of an installation on the engine of the test; a test without a database has the embedded one."""
    if "engine" in request.fixturenames and request.getfixturevalue("engine") == "postgresql":
        return make_settings(tmp_path, **postgres_settings(request.getfixturevalue("postgres")))
    return make_settings(tmp_path)


@pytest.fixture
def empty_settings(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings of an installation whose database has nothing in it yet, on the engine of the test."""
    if engine == "postgresql":
        return make_settings(tmp_path, **postgres_settings(request.getfixturevalue("empty_postgres")))
    return make_settings(tmp_path)


@pytest.fixture
def connections() -> int:
    """One has to do for a request: with a second one each, requests could wait for each other in a circle."""
    return 1


@pytest.fixture
def one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema is looked at once: a second look would wait for the one connection that a request holds."""
    monkeypatch.setattr(schema, "RECHECK_SECONDS", 3_600.0)


@pytest.fixture
def database(engine: str, settings: Settings, migrated_file: Path, connections: int) -> Iterator[OpenDatabase]:
    """A database that is set up and otherwise empty."""
    if engine == "sqlite":
        shutil.copy(migrated_file, settings.data_dir / "belfry.db")
    database = open_everything(settings.database_url, admin_url=settings.database_admin_url, connections=connections)
    yield database
    database.dispose()


@pytest.fixture
def session(database: OpenDatabase) -> Iterator[Session]:
    """A session whose changes are never committed."""
    with database.session() as session:
        yield session


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock("2027-01-05 12:00")
