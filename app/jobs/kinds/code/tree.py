"""The processes below one process, as /proc shows them: what they use, and how every one of them is ended."""

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass

from app.jobs.kinds.code.limits import MIB, Breach, Limit, Limits

# How often all that is found is stopped, before what stands still is killed.
_STOPPING_PASSES = 20
# A killed process needs a moment to be gone.
_DYING_SECONDS = 0.002
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Not every kernel is built with it; with it a look costs as much as the tree is large, and not the whole machine.
_LISTS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")


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
        time.sleep(_DYING_SECONDS)


def end_strangers(known: Collection[int]) -> None:
    """End every process below this one that does not belong to a known child."""
    while strangers := processes_below(os.getpid(), sparing=known):
        kill_below(os.getpid(), sparing=known)
        time.sleep(_DYING_SECONDS)
        for process in strangers:
            # Children of others are theirs to reap, until these are dead.
            with suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def breach_below(root: int, limits: Limits) -> Breach | None:
    """Which limit the processes below one have passed together, if any."""
    pids: list[int] = []
    tasks = 0
    for pid, threads in _family(root):
        pids.append(pid)
        tasks += threads
        # Of a crowd the rest need not be counted: it grows while that is done.
        if tasks > limits.processes:
            return Breach(Limit.PROCESSES, tasks)
    # What processes share is in the memory of each of them; asking for their true shares takes far longer.
    if sum(map(_resident_bytes, pids)) <= limits.memory_bytes:
        return None
    used = sum(map(_proportional_bytes, pids))
    return Breach(Limit.MEMORY, used // MIB) if used > limits.memory_bytes else None


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


def _family(root: int) -> Iterator[tuple[int, int]]:
    """The numbers of the processes below one, with how many threads each has."""
    if not _LISTS_CHILDREN:
        yield from ((process.pid, len(_threads(process.pid))) for process in processes_below(root))
        return
    parents = [(root, _threads(root))]
    while parents:
        parent, threads = parents.pop()
        for pid in _children(parent, threads):
            own = _threads(pid)
            yield pid, len(own)
            parents.append((pid, own))


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _children(pid: int, threads: list[str]) -> Iterator[int]:
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                yield from map(int, file.read().split())
        except OSError:
            continue


def _resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _proportional_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            found = next((line for line in file if line.startswith(b"Pss:")), None)
    except OSError:
        found = None
    # A process that took another user's rights does not let itself be looked into.
    return _resident_bytes(pid) if found is None else int(found.split()[1]) * 1024
