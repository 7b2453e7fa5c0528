"""The embedded database with no room on its disk, or held by somebody else: nothing is lost, and it is said."""

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.degraded_worker import Site, WorkerProcess, wait_until

MOST_LINES = 40
ON_AGAIN_SECONDS = 30.0
NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture
def engine() -> str:
    return "sqlite"


def largest_file(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.glob("belfry.db*"))


@pytest.mark.slow
class TestADiskWithoutRoom:
    def test_keeps_runs_waiting_and_says_what_to_do(self, site: Site, worker: WorkerProcess, tmp_path: Path) -> None:
        pid = worker.process.pid
        # What a file may not grow beyond looks to its writer like a disk that is full.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
        run_ids = site.start_runs(6, seconds=0)
        wait_until(lambda: "Check the disk and its room" in worker.text, lambda: worker.text)
        before = site.states()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, NO_LIMIT)

        wait_until(lambda: site.states() == {"succeeded": 6}, lambda: worker.text, ON_AGAIN_SECONDS)
        status = worker.stop()

        assert (before, status) == ({"ready": len(run_ids)}, 0)
        assert len(worker.said) < MOST_LINES
        with closing(sqlite3.connect(tmp_path / "belfry.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    def test_that_fills_while_a_run_goes_on_still_gets_its_end(self, site: Site, worker: WorkerProcess) -> None:
        (run_id,) = site.start_runs(1, function="nap", seconds=4)
        wait_until(lambda: site.state_of(run_id) == "running", lambda: worker.text)
        pid = worker.process.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
        wait_until(lambda: "failed problem=" in worker.text, lambda: worker.text)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, NO_LIMIT)

        wait_until(lambda: site.state_of(run_id) == "succeeded", lambda: worker.text, ON_AGAIN_SECONDS)

        assert worker.is_alive
        assert "works again" in worker.text


@pytest.mark.slow
class TestADatabaseThatSomebodyHolds:
    def test_delays_runs_and_says_so(self, site: Site, worker: WorkerProcess, tmp_path: Path) -> None:
        (run_id,) = site.start_runs(1, seconds=0)
        wait_until(lambda: site.state_of(run_id) == "succeeded", lambda: worker.text)
        with closing(sqlite3.connect(tmp_path / "belfry.db", isolation_level=None)) as holder:
            (late,) = site.start_runs(1, seconds=0)
            holder.execute("BEGIN IMMEDIATE")
            said = wait_until(lambda: "is busy with another process" in worker.text, lambda: worker.text)
            state = site.state_of(late)
            holder.execute("ROLLBACK")

        took = wait_until(lambda: site.state_of(late) == "succeeded", lambda: worker.text, ON_AGAIN_SECONDS)
        status = worker.stop()

        assert said > 3
        assert (state in {"ready", "running", "succeeded"}, took < ON_AGAIN_SECONDS, status) == (True, True, 0)
        assert len(worker.said) < MOST_LINES
