"""What the processes below one process use together, and whether that is more than they may."""

import os
import threading
from collections.abc import Iterator, Sequence

from app.jobs.kinds.code.limits import MIB, Breach, Limit, Limits
from app.jobs.kinds.code.tree import processes_below

# How long a look may wait for the memory of each to be counted.
_COUNTING_SECONDS = 0.05
# The thread that sends what a function says of its progress in quick succession.
_OF_OURS = 1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Not every kernel is built with it; with it a look costs as much as the tree is large, and not the whole machine.
_LISTS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")


class UsageWatch:
    """Looks at the processes below one, again and again."""

    def __init__(self, root: int, limits: Limits) -> None:
        self._root = root
        self._limits = limits
        self._counting: threading.Thread | None = None
        self._counted_bytes = 0

    def breach(self) -> Breach | None:
        """Which limit they have passed together, if any."""
        pids: list[int] = []
        tasks = 0
        for pid, threads in _family(self._root):
            pids.append(pid)
            tasks += threads
            # Of a crowd the rest need not be counted: it grows while that is done.
            if tasks > self._limits.processes + _OF_OURS:
                return Breach(Limit.PROCESSES, tasks)
        # What processes share is counted for each of them here, so that this is never too little.
        if sum(map(_resident_bytes, pids)) <= self._limits.memory_bytes:
            return None
        used = self._count_shares(pids)
        return Breach(Limit.MEMORY, used // MIB) if used > self._limits.memory_bytes else None

    def _count_shares(self, pids: Sequence[int]) -> int:
        """Their memory with what is shared counted once; of the last time, while that takes longer.

        In a thread, because the kernel has whoever asks wait for a process that is being forked. That would keep a
        crowd from being counted for as long as it grows.
        """
        if self._counting is None:
            self._counting = threading.Thread(target=self._count, args=(pids,), daemon=True)
            self._counting.start()
        self._counting.join(_COUNTING_SECONDS)
        if not self._counting.is_alive():
            self._counting = None
        return self._counted_bytes

    def _count(self, pids: Sequence[int]) -> None:
        self._counted_bytes = sum(map(_proportional_bytes, pids))


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
