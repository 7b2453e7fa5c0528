"""A PostgreSQL of one's own, which a test may restart as after a power cut, and a way to it that may go silent."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from app.core.ids import new_id
from tests.conftest import make_settings, postgres_settings, set_up
from tests.queue.redis_server import free_port
from tests.services.postgres import LOGIN, SUPERUSER, PostgresUrls, find_programs, unprivileged_user

OPTIONS = "-c fsync=off -c max_connections=60 -c shared_buffers=32MB -c autovacuum=off"


class OwnPostgres:
    """A server on a free port of this machine, with a database that is set up."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="belfry-postgres-", dir="/tmp"))
        self.port = free_port()
        self.name = "installed"
        self._user = unprivileged_user()
        if self._user is not None:
            os.chown(self.folder, self._user, -1)
        self._call("initdb", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()
        self._execute(sql.SQL("CREATE DATABASE installed"))
        set_up(make_settings(self.folder, **postgres_settings(self.urls)))

    @property
    def urls(self) -> PostgresUrls:
        return PostgresUrls(self._url(LOGIN, self.port), self._url(SUPERUSER, self.port))

    def make_database(self) -> None:
        """From now on, the URLs lead to a new database that is set up and otherwise empty."""
        self.name = f"test_{new_id().hex}"
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE installed").format(sql.Identifier(self.name)))

    def login_through(self, port: int) -> str:
        """The URL of the login by another way."""
        return self._url(LOGIN, port)

    def start(self) -> None:
        options = f"{OPTIONS} -c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder}"
        self._call("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """Gone from one moment to the next, as after a power cut."""
        self._call("pg_ctl", "stop", "-m", "immediate")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of the server stands still, as on a machine whose disk hangs: connections stay and say nothing.

        The machine goes on to take new connections for it.
        """
        server = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        # The one that makes the others first, so that no new one is missed.
        os.kill(server, signal.SIGSTOP)
        others = [int(word) for word in Path(f"/proc/{server}/task/{server}/children").read_text().split()]
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in (*others, server):
                os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _execute(self, statement: sql.Composable) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def _url(self, login: str, port: int) -> str:
        return f"postgresql+psycopg://{login}@127.0.0.1:{port}/{self.name}"

    def _call(self, program: str, *words: str) -> None:
        command = [str(find_programs() / program), "-D", str(self.folder / "data"), *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            user=self._user,
            extra_groups=None if self._user is None else [],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout


class SwallowingProxy:
    """Passes bytes on, until it is told to take them and pass none: no reset, no end, no answer.

    Connections from before that are never heard of again, also when it passes on new ones.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        # Closing a socket does not wake who waits for it.
        self._server.settimeout(0.2)
        self._is_closed = False
        self.port: int = self._server.getsockname()[1]
        self._is_silent = False
        self._pairs: list[tuple[socket.socket, socket.socket, threading.Event]] = []
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def go_silent(self) -> None:
        self._is_silent = True
        for *_, is_lost in self._pairs:
            is_lost.set()

    def heal(self) -> None:
        self._is_silent = False

    def close(self) -> None:
        self._is_closed = True
        self._acceptor.join()
        self._server.close()
        for near, far, _ in self._pairs:
            for end in (near, far):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for near, far, _ in self._pairs:
            near.close()
            far.close()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                near, _ = self._server.accept()
            except TimeoutError:
                continue
            near.setblocking(True)
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            is_lost = threading.Event()
            if self._is_silent:
                is_lost.set()
            self._pairs.append((near, far, is_lost))
            for source, drain in ((near, far), (far, near)):
                thread = threading.Thread(target=self._pass_on, args=(source, drain, is_lost), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, source: socket.socket, drain: socket.socket, is_lost: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if not is_lost.is_set():
                    drain.sendall(data)
            if not is_lost.is_set():
                drain.shutdown(socket.SHUT_WR)
