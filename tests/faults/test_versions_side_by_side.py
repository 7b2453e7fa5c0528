"""Versions side by side: who meets a database of another version starts nothing, ends what it runs, and says so."""

import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import flask_migrate
import pytest

from app.core.config import Settings
from app.core.paths import MIGRATIONS
from app.core.schema import newest_migration
from app.edge.database_setup import bring_up_to_date
from app.factory import create_app
from tests.faults.degraded_worker import Site, WorkerProcess, wait_until

pytestmark = pytest.mark.slow

NEWER = "9999"
FIRST_REPORTING = "0012"


@pytest.fixture
def engine() -> str:
    return "sqlite"


def call_the_database(folder: Path, version: str) -> None:
    with closing(sqlite3.connect(folder / "belfry.db", timeout=20)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])


def take_back(settings: Settings, version: str) -> None:
    """The database as an older version of Belfry left it."""
    app = create_app(settings, kinds={})
    flask_migrate.Migrate(app, app.extensions["belfry"].requests)
    with app.app_context():
        flask_migrate.downgrade(directory=str(MIGRATIONS), revision=version)
    app.extensions["belfry"].database.dispose()


def upgrade(settings: Settings) -> None:
    app = create_app(settings, kinds={})
    bring_up_to_date(app, settings)
    app.extensions["belfry"].database.dispose()


@pytest.fixture
def worker(site: Site) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(site.environment)
    wait_until(lambda: len(site.processes()) == 1, lambda: worker.text)
    yield worker
    worker.end()


class TestAnOldWorkerBesideANewerDatabase:
    def test_ends_what_it_runs_and_starts_nothing_more(self, site: Site, worker: WorkerProcess, tmp_path: Path) -> None:
        (running,) = site.start_runs(1, seconds=9)
        wait_until(lambda: site.state_of(running) == "running", lambda: worker.text)
        call_the_database(tmp_path, NEWER)
        wait_until(lambda: "database cannot be used" in worker.text, lambda: worker.text)
        (waiting,) = site.start_runs(1, seconds=0)

        wait_until(lambda: site.state_of(running) == "succeeded", lambda: worker.text)
        state = site.state_of(waiting)
        call_the_database(tmp_path, newest_migration())
        wait_until(lambda: site.state_of(waiting) == "succeeded", lambda: worker.text)

        assert (state, worker.is_alive) == ("ready", True)
        assert worker.lines("database cannot be used") == 1
        assert "upgraded by a newer version of Belfry" in worker.text

    def test_says_so_in_its_reports_and_in_health(self, site: Site, worker: WorkerProcess, tmp_path: Path) -> None:
        call_the_database(tmp_path, NEWER)
        wait_until(lambda: any(process.problem for process in site.processes()), lambda: worker.text)
        own = site.belfry("health")
        # As the newer version sees the old worker, until its next report: which therefore never comes.
        worker.stop(signal.SIGKILL)
        call_the_database(tmp_path, newest_migration())
        others = site.belfry("health", "--json")

        assert (own.returncode, "newer version of Belfry" in own.stdout) == (1, True)
        assert (others.returncode, json.loads(others.stdout)["healthy"]) == (1, False)
        assert "No worker starts runs." in json.loads(others.stdout)["problem"]


class TestANewWorkerBesideAnOlderDatabase:
    def test_reports_and_waits_for_the_upgrade(self, site: Site) -> None:
        take_back(site.settings, FIRST_REPORTING)
        worker = WorkerProcess(site.environment)
        with closing(sqlite3.connect(site.settings.data_dir / "belfry.db")) as connection:
            wait_until(
                lambda: connection.execute("SELECT count(*) FROM heartbeats").fetchone() == (1,), lambda: worker.text
            )
        before = site.belfry("health")
        upgrade(site.settings)
        (run_id,) = site.start_runs(1, seconds=0)

        wait_until(lambda: site.state_of(run_id) == "succeeded", lambda: worker.text)
        status = worker.stop()

        assert (before.returncode, "Run: belfry db upgrade" in before.stdout) == (1, True)
        assert "The database is older than this version of Belfry. Run: belfry db upgrade" in worker.text
        assert ("database can be used again" in worker.text, status) == (True, 0)
