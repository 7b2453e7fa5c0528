"""A PostgreSQL of one's own, which a test may restart without warning."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services.folder import ServiceFolder
from tests.services.postgres import SERVER_SETTINGS, PostgresCluster, PostgresUrls


class OwnProcesses(ServiceFolder):
    """Starts the servers as children of this very process, and can end and start them again."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        # Root's PostgreSQL runs as another user, who has to get in.
        path.chmod(0o711)
        self._made: set[str] = set()
        self._commands: dict[str, tuple[Sequence[str], int | None]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def once(self, name: str, make: Callable[[], None]) -> None:
        if name not in self._made:
            self._made.add(name)
            make()

    def keep(self, name: str, command: Sequence[str], *, user: int | None = None) -> None:
        self._commands[name] = command, user
        self.start(name)

    def start(self, name: str) -> None:
        command, user = self._commands[name]
        log = os.open(self.path / f"{name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        groups = None if user is None else []
        self._running[name] = subprocess.Popen(
            command, cwd=self.path, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user, extra_groups=groups
        )
        os.close(log)

    def end(self, name: str) -> None:
        """At once: PostgreSQL's immediate shutdown takes leave of nobody and writes nothing."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGQUIT)
        process.wait()

    def close(self) -> None:
        for name in list(self._running):
            self.end(name)


class PostgresServer:
    """With databases that are set up."""

    def __init__(self, path: Path, set_up: Callable[[PostgresUrls], None]) -> None:
        self._processes = OwnProcesses(path)
        # A commit that was answered for has to survive the immediate shutdown, or the fault would be the server's.
        self._cluster = PostgresCluster(self._processes, settings=SERVER_SETTINGS | {"synchronous_commit": "on"})
        self._set_up = set_up

    @contextmanager
    def database(self) -> Iterator[PostgresUrls]:
        with self._cluster.database(self._set_up) as urls:
            yield urls

    def restart_immediately(self) -> None:
        """Comes back after a recovery from its log; whoever connects meanwhile is refused."""
        self._processes.end("postgres")
        self._processes.start("postgres")

    def close(self) -> None:
        self._processes.close()
