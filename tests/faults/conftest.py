"""What faults are judged by: locks on files, and what /proc says."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.deadline import Deadline
from app.jobs.kinds.code.supply import GuardSupply
from tests.faults.degraded_worker import Site, WorkerProcess, wait_until
from tests.unit.jobs.calls import guard_supply

# Generous: what is waited for takes a moment.
PATIENCE_SECONDS = 20.0


def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether it comes true before patience ends."""
    over = Deadline.after(PATIENCE_SECONDS)
    while not condition():
        if over.has_passed:
            return False
        os.sched_yield()
    return True


@dataclass(frozen=True)
class Lock:
    """A file that processes hold a lock on while they live."""

    path: Path

    def is_free(self) -> bool:
        """Whether none of them is left."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(handle)

    def say_word(self) -> None:
        """Let a function that waits for a word go on."""
        Path(f"{self.path}.word").touch()


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    return Lock(tmp_path / "alive")


@pytest.fixture(scope="module")
def supply() -> Iterator[GuardSupply]:
    """One for all tests, so that what one does to it meets the next."""
    supply = guard_supply()
    yield supply
    supply.close()


@pytest.fixture
def site(tmp_path: Path, migrated_file: Path) -> Iterator[Site]:
    """An embedded installation for a worker process."""
    shutil.copy(migrated_file, tmp_path / "belfry.db")
    site = Site(tmp_path)
    yield site
    site.database.dispose()


@pytest.fixture
def worker(site: Site) -> Iterator[WorkerProcess]:
    """A worker process of the site, which has reported that it is there."""
    worker = WorkerProcess(site.environment)
    wait_until(lambda: len(site.processes()) == 1, worker.text)
    yield worker
    worker.end()
