"""The processes below one process, as /proc shows them, and how every one of them is ended. usage.py: what they use."""

import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

# How often all that is found is stopped, before what stands still is killed.
_STOPPING_PASSES = 20
# A killed process needs a moment to be gone, and of a crowd each one.
_MOMENT_SECONDS = 0.002
_DYING_SECONDS = 0.2
# A process that became another user's, or waits for a broken disk, cannot be killed. Others must not wait for it.
_STRANGERS_SECONDS = 1.0


@dataclass(frozen=True)
class Process:
    """A process as it was seen. Its number and its time of birth together are never given again."""

    pid: int
    parent: int
    born: int


def processes_below(root: int, *, sparing: Collection[int] = ()) -> list[Process]:
    """Every process below one, parents first, without the ones to spare and those below them. Reads all of /proc."""
    children: dict[int, list[Process]] = {}
    for name in os.listdir("/proc"):
        process = _seen(int(name)) if name.isdigit() else None
        if process is not None and process.pid not in sparing:
            children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    parents = [root]
    while parents:
        born_here = children.pop(parents.pop(), [])
        found += born_here
        parents += [process.pid for process in born_here]
    return found


def send_below(root: int, how: signal.Signals) -> None:
    """Signal every process below one, once."""
    for process in processes_below(root):
        _send(process, how)


def kill_below(root: int, *, sparing: Collection[int] = ()) -> None:
    """Kill what is below a process. What forks faster than it can be found is made to stand still first."""
    stopped: set[Process] = set()
    for _ in range(_STOPPING_PASSES):
        new = [process for process in processes_below(root, sparing=sparing) if process not in stopped]
        for process in new:
            _send(process, signal.SIGSTOP)
        stopped.update(new)
        if not new:
            break
    for process in stopped:
        _send(process, signal.SIGKILL)


def end_children() -> None:
    """End every process below this one, which has to adopt orphans. Returns when there is none left."""
    while _has_children():
        kill_below(os.getpid())
        # To look for them again would take the time they need to die.
        over = time.monotonic() + _DYING_SECONDS
        while _has_children() and time.monotonic() < over:
            time.sleep(_MOMENT_SECONDS)


def end_strangers(known: Collection[int]) -> list[Process]:
    """End every process below this one that does not belong to a known child. Those that cannot be ended are left."""
    over = time.monotonic() + _STRANGERS_SECONDS
    while strangers := processes_below(os.getpid(), sparing=known):
        if time.monotonic() >= over:
            return strangers
        kill_below(os.getpid(), sparing=known)
        time.sleep(_MOMENT_SECONDS)
        for process in strangers:
            # Children of others are theirs to reap, until these are dead.
            with suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
    return []


def _has_children() -> bool:
    """Reap what is dead. Whether anything lives: while nothing below can get away, no child means no descendant."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False


def _seen(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name of a program may hold anything, brackets and spaces included.
            facts = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return Process(pid, int(facts[1]), int(facts[19]))


def _send(process: Process, how: signal.Signals) -> None:
    # Held before it is looked at again, so that the number cannot have become somebody else's.
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        now = _seen(process.pid)
        if now is not None and now.born == process.born:
            with suppress(OSError):
                signal.pidfd_send_signal(handle, how)
    finally:
        os.close(handle)
