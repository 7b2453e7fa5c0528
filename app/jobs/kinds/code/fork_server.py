"""The worker's side of the fork server: starts it, starts it again when it dies, and asks it for guards."""

import logging
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from app.core.deadline import Deadline
from app.core.setting_reader import SECRET_SETTINGS

log = logging.getLogger(__name__)

# What the server is asked for.
AHEAD = b"ahead"
AT_ONCE = b"at once"
# What it says, once, when it can be asked.
LOADED = b"loaded"
SERVER_MODULE = "app.jobs.kinds.code.server"
# A server that lived for less long is not started again at once.
SHORTEST_LIFE_SECONDS = 5.0
PAUSE_SECONDS = 1.0
STOP_SECONDS = 5.0
# Loading everything takes a second; on a machine that is busy with its start it may take many.
START_SECONDS = 30.0
# Modules may take longer. Were it ended meanwhile, the next one would have to begin anew, and so for ever.
LOAD_SECONDS = 600.0

_PASSED_ON = frozenset({"PATH", "LANG", "TZ", "HOME"})
_PASSED_ON_PREFIXES = ("LC_", "PYTHON", "BELFRY_")
# A database's address holds its password. A run is told it; the process that all runs are copies of is not.
_WITH_PASSWORDS = SECRET_SETTINGS | {"BELFRY_DATABASE_URL", "BELFRY_DATABASE_ADMIN_URL", "BELFRY_BROKER_URL"}


def can_run_functions() -> bool:
    """Whether this system lets nothing that a function starts get away: what that takes is Linux's alone."""
    return hasattr(os, "pidfd_open")


class ForkServerAway(OSError):
    """There is no process to start others from."""

    def __init__(self, why: str) -> None:
        super().__init__(0, why)


class ForkServer:
    """One per worker. Started by `start` or by the first run; safe to use from many threads."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = tuple(modules)
        self._closed = threading.Event()
        self._state = threading.Condition()
        self._keeper: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._load_by = Deadline(0)

    @property
    def pid(self) -> int | None:
        """The number of the process, while there is one."""
        process = self._process
        return None if process is None else process.pid

    def start(self) -> None:
        """Start it ahead of the first run. Where functions cannot run, there is nothing to start."""
        with self._state:
            if self._keeper is None and not self._closed.is_set() and can_run_functions():
                # The process is tied to the thread that starts it, so that has to be one that stays.
                self._keeper = threading.Thread(target=self._keep, name="fork server", daemon=True)
                self._keeper.start()

    def close(self) -> None:
        """End it. Runs that are going are not its business and go on."""
        self._closed.set()
        with self._state:
            keeper = self._keeper
            self._let_go()
            self._state.notify_all()
        if keeper is not None:
            keeper.join(STOP_SECONDS)

    def hand_over(self, handles: Sequence[int], *, is_ahead: bool) -> None:
        """Ask for a guard that is given these, for a run that waits for it or ahead of any.

        Raises ForkServerAway when for too long there is nobody to ask.
        """
        self.start()
        over = Deadline.after(START_SECONDS)
        with self._state:
            while True:
                if self._control is not None and self._send(self._control, AHEAD if is_ahead else AT_ONCE, handles):
                    return
                if self._closed.is_set() or over.has_passed:
                    raise ForkServerAway("the process they are started from is not there")
                self._state.wait(over.seconds_left)

    @property
    def is_loading(self) -> bool:
        """Whether it only takes its time, because modules do."""
        with self._state:
            return self._control is not None and not self._load_by.has_passed and not _has_word(self._control)

    def replace(self) -> None:
        """End a server that does not answer; another one is started."""
        with self._state:
            if self._process is not None:
                self._process.kill()
                self._let_go()

    def _send(self, control: socket.socket, when: bytes, handles: Sequence[int]) -> bool:
        try:
            socket.send_fds(control, [when], handles)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self._let_go()
            return False
        return True

    def _let_go(self) -> None:
        # The end of the socket is what tells it to end.
        if self._control is not None:
            self._control.close()
            self._control = None

    def _keep(self) -> None:
        while not self._closed.is_set():
            too_soon = Deadline.after(SHORTEST_LIFE_SECONDS)
            try:
                with self._running() as process:
                    status = process.wait()
            except OSError:
                log.exception("fork server not started")
            else:
                if not self._closed.is_set():
                    log.warning("fork server ended", extra={"status": status})
            if not too_soon.has_passed:
                self._closed.wait(PAUSE_SECONDS)

    @contextmanager
    def _running(self) -> Iterator[subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(START_SECONDS)
        try:
            process = _spawn(theirs.fileno(), self._modules)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        with process:
            with self._state:
                self._process, self._control = process, ours
                self._load_by = Deadline.after(LOAD_SECONDS)
                if self._closed.is_set():
                    self._let_go()
                self._state.notify_all()
            yield process
            with self._state:
                self._process = None
                self._let_go()


def _has_word(control: socket.socket) -> bool:
    """Whether the server has said that it can be asked, or is dead. That is never read, so it stays to be seen."""
    poll = select.poll()
    poll.register(control, select.POLLIN)
    return bool(poll.poll(0))


def _spawn(control: int, modules: Sequence[str]) -> subprocess.Popen[bytes]:
    # -P: not whatever lies in the current folder, but exactly what this process can import.
    command = [sys.executable, "-P", "-m", SERVER_MODULE, str(os.getpid()), str(control), *modules]
    given = {name: value for name, value in os.environ.items() if name not in _WITH_PASSWORDS}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, stdin=subprocess.DEVNULL, pass_fds=(control,), start_new_session=True, env=environment(given)
    )


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a function sees of the environment of its worker."""
    kept = {
        name: value
        for name, value in given.items()
        if (name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)) and name not in SECRET_SETTINGS
    }
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    return kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}
