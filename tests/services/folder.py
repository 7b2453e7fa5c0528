"""The folder that all processes of one test run share. Its servers end when its owner does, also by kill -9."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.core.paths import ROOT

# How the workers of a test run learn where it is.
VARIABLE = "TEST_SERVICES"
ALIVE = "alive"


class ServiceFolder:
    """Made and closed by the process that was started as pytest; its workers only find it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_this_run(cls) -> "ServiceFolder":
        return cls(Path(os.environ[VARIABLE]))

    def once(self, name: str, make: Callable[[], None]) -> None:
        """Do it in the first process that asks; the others wait until it is done."""
        with _locked(self.path / f"{name}.lock"):
            done = self.path / f"{name}.done"
            if not done.exists():
                make()
                done.touch()

    def keep(self, name: str, command: Sequence[str], *, user: int | None = None) -> None:
        """Have a keeper run a server for as long as the folder is open."""
        keeper = [sys.executable, "-m", "tests.services.keeper", str(self.path), name, str(user or ""), *command]
        # A session of its own: Ctrl-C is for the tests, which still need the server while they end.
        subprocess.Popen(keeper, cwd=ROOT, start_new_session=True).returncode = 0


class OwnServiceFolder(ServiceFolder):
    """The folder as its owner holds it. Making it is cheap; it stays empty until a test needs a server."""

    def __init__(self) -> None:
        # PostgreSQL refuses to run as root, so root's servers need a folder that another user can reach.
        super().__init__(Path(tempfile.mkdtemp(prefix="belfry-tests-", dir="/tmp" if os.geteuid() == 0 else None)))
        self.path.chmod(0o711)
        self._alive = (self.path / ALIVE).open("w")
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        os.environ[VARIABLE] = str(self.path)

    def close(self) -> None:
        """End the servers and wait until they are gone."""
        keepers = [path.open("w") for path in self.path.glob("*.keeper")]
        self._alive.close()
        for keeper in keepers:
            # Each keeper holds its own file until its server has ended.
            fcntl.flock(keeper, fcntl.LOCK_EX)
            keeper.close()
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
