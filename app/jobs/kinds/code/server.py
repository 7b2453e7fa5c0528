"""The fork server: a process with all functions loaded and nothing else, which becomes a new guard in a moment.

It holds one socket, to its worker, and no database, key or thread. The worker's side is fork_server.py.
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from app.core.names import visible
from app.core.process import adopt_orphans, die_with_parent
from app.jobs.kinds.code import guard, runner
from app.jobs.kinds.code.fork_server import AHEAD, LOADED
from app.jobs.kinds.code.guard import Handed
from app.jobs.kinds.code.said import kind_and_words
from app.jobs.kinds.code.tree import end_strangers

_LONGEST_REQUEST = 64


@dataclass(frozen=True)
class Child:
    """A guard by its number, and its end of the line, held so that it does not end before what was left is ended."""

    pid: int
    line: int


def main() -> None:
    """`server PARENT_PID SOCKET MODULE...`: serve until the worker closes the socket, also by its death."""
    parent_pid, control = int(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    # A module that takes for ever to load must not keep it when the worker is gone.
    die_with_parent(parent_pid, signal.SIGKILL)
    adopt_orphans()
    _set_signals()
    _load(sys.argv[3:])
    # Whatever the modules made of them.
    _set_signals()
    # The end of the socket tells of the worker's death; the signal sees that it is noticed even by a stopped process.
    die_with_parent(parent_pid, signal.SIGCONT)
    rehearse = partial(runner.rehearse, runner.call_to_rehearse())
    rehearse()
    # What is here now stays: nothing of it is to be looked at, and thereby copied, by the collections of a run.
    gc.collect()
    gc.freeze()
    control.set_inheritable(False)
    with suppress(BrokenPipeError):
        control.send(LOADED)
    handed = _serve(control)
    orders = guard.begin(handed, rehearse)
    runner.run(orders.call, handed.results, orders.environment)


def _set_signals() -> None:
    # Ended by the worker alone. A service manager that stops everything at once must not end runs that may finish.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is ended is waited for, and with that ignored there would be nothing to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _load(modules: Sequence[str]) -> None:
    """Import what the functions need. A module that does not like it is imported by each run, which then says why."""
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - the module is the operator's, and may fail in any way
            _say(f"“{name}” cannot be loaded ahead of its runs: {kind_and_words(error)}")
        if len(os.listdir("/proc/self/task")) > 1:
            _say(f"“{name}” starts threads when it is loaded; each run loads it anew, which takes longer.")
            # A fork copies one thread and the locks of all. Begin again without it.
            os.execv(sys.executable, [argument for argument in sys.orig_argv if argument != name])  # noqa: S606


def _say(text: str) -> None:
    print(f"fork server: {visible(text)}", file=sys.stderr)


def _serve(control: socket.socket) -> Handed:
    """Fork a guard for each packet, and bury those that end. Returns in a new guard alone."""
    own_pid = os.getpid()
    guards: dict[int, Child] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), *guards], [], [])
        for ended in [handle for handle in ready if handle in guards]:
            _bury(ended, guards)
        if control.fileno() not in ready:
            continue
        try:
            packet, handles, _, _ = socket.recv_fds(control, _LONGEST_REQUEST, 3, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            # The worker is gone, and did not read that this was loaded.
            packet, handles = b"", []
        if not packet:
            os._exit(0)
        guard_pid = _fork() if len(handles) == 3 else None
        if guard_pid == 0:
            control.close()
            for handle, guard in guards.items():
                os.close(handle)
                os.close(guard.line)
            die_with_parent(own_pid, signal.SIGCONT)
            line, output, results = handles
            return Handed(line, output, results, is_ahead=packet == AHEAD)
        # Closed here, the line ends for the worker when nobody else has it: that tells of a guard that was not born.
        for handle in handles if guard_pid is None else handles[1:]:
            os.close(handle)
        if guard_pid is not None:
            guards[os.pidfd_open(guard_pid)] = Child(guard_pid, handles[0])


def _fork() -> int | None:
    try:
        return os.fork()
    except OSError as error:
        _say(f"no process could be started: {error.strerror}.")
        return None


def _bury(handle: int, guards: dict[int, Child]) -> None:
    """Reap a guard. One that did not end as it should left behind what it guarded, and that came here."""
    os.close(handle)
    guard = guards.pop(handle)
    _, status = os.waitpid(guard.pid, 0)
    left = end_strangers([other.pid for other in guards.values()]) if status else []
    os.close(guard.line)
    if left:
        _say(f"processes that a function started cannot be ended: {', '.join(str(process.pid) for process in left)}.")


if __name__ == "__main__":
    main()
