"""Fixtures that every kind of test shares: a migrated database, a clock to move, an app and people."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.core.config import Settings, read_settings
from app.core.db import Database, open_database
from app.edge.migrations import upgrade_database
from app.factory import create_app
from tests.fakes.clock import ManualClock


def make_settings(folder: Path, **more: str) -> Settings:
    """Settings of an installation that lives in one folder."""
    environ = {"BELFRY_DATA_DIR": str(folder), "BELFRY_SECRET_KEY": "k" * 48, **more}
    return read_settings(environ, folder=folder)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database. Tests copy the file, which takes a millisecond; migrating takes half a second."""
    folder = tmp_path_factory.mktemp("template")
    settings = make_settings(folder)
    app = create_app(settings, kinds={})
    upgrade_database(app, lock_file=folder / "migrate.lock")
    # Closing the last connection moves the write-ahead log into the file, which is all that is copied.
    app.extensions["belfry"].database.dispose()
    return folder / "belfry.db"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path)


@pytest.fixture
def database(settings: Settings, migrated_file: Path) -> Iterator[Database]:
    shutil.copy(migrated_file, settings.data_dir / "belfry.db")
    database = open_database(settings.database_url)
    yield database
    database.dispose()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session whose changes are never committed."""
    with Session(database.write, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock("2027-01-05 12:00")
