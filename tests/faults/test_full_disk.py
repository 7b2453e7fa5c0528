"""A real disk without room under the embedded installation: a small one in memory, filled to its last byte."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.faults.degraded_worker import Site, WorkerProcess, wait_until

DISK = "16m"
BLOCK = 4_096
MOST_LINES = 40
ON_AGAIN_SECONDS = 30.0
NO_ROOM = "The database of BELFRY_DATABASE_URL finds no room on its disk. Make room and try again."


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own. To mount one takes root, which continuous integration is."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "belfry", str(place)]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"NOT TESTED: a full disk. To mount a small one takes root. It said: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def site(disk: Path, migrated_file: Path) -> Iterator[Site]:
    shutil.copy(migrated_file, disk / "belfry.db")
    site = Site(disk)
    yield site
    site.database.dispose()


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """No byte is left, and the log of the database cannot begin anew in the room that it has."""
    ballast = disk / "ballast"
    with ExitStack() as held, closing(sqlite3.connect(disk / "belfry.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM runs").fetchone()
        held.callback(ballast.unlink)
        handle = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        held.callback(os.close, handle)
        try:
            while True:
                os.write(handle, bytes(BLOCK))
        except OSError:
            yield


@pytest.mark.slow
class TestAFullDisk:
    def test_is_said_and_stops_nothing_for_longer_than_it_lasts(
        self, site: Site, worker: WorkerProcess, disk: Path
    ) -> None:
        (running,) = site.start_runs(1, seconds=3)
        wait_until(lambda: site.state_of(running) == "running", lambda: worker.text)
        with full(disk):
            wait_until(lambda: NO_ROOM in worker.text, lambda: worker.text)
            refused = site.belfry(
                "user", "create", "ana@example.com", "--name", "Ana", "--password", "nine lives of a cat"
            )
            seen = site.belfry("runs", "list")
            during = worker.text
        (later,) = site.start_runs(1, seconds=0)

        for run_id in (running, later):
            wait_until(lambda: site.state_of(run_id) == "succeeded", lambda: worker.text, ON_AGAIN_SECONDS)  # noqa: B023
        status = worker.stop()

        assert (refused.returncode != 0, NO_ROOM in refused.stderr) == (True, True)
        assert (seen.returncode, "works again" in during, worker.lines("keeping runs failed")) == (0, False, 1)
        assert (status, len(worker.said) < MOST_LINES) == (0, True)

    def test_damages_nothing(self, site: Site, worker: WorkerProcess, disk: Path) -> None:
        run_ids = site.start_runs(12, seconds=1)
        with full(disk):
            wait_until(lambda: NO_ROOM in worker.text, lambda: worker.text)

        wait_until(lambda: site.states() == {"succeeded": len(run_ids)}, lambda: worker.text, ON_AGAIN_SECONDS)
        worker.stop()

        with closing(sqlite3.connect(disk / "belfry.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
