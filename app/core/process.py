"""What a process does about itself at its start: ties to its parent and orphans, and who may read its files."""

import ctypes
import gc
import os
import signal
from functools import cache

# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# From malloc.h.
_M_ARENA_MAX = -8
# After so many new objects the collector looks through the youngest, and how often it does until it looks further. A
# page makes ten thousands that go by themselves: with the usual seven hundred it is interrupted forty times.
_COLLECTED_AFTER = (10_000, 10, 50)


def keep_files_private() -> None:
    """New files are for this user alone. Databases hold password hashes, and what jobs send to other services."""
    os.umask(0o077)


def share_one_heap() -> None:
    """For a process that is about to start threads: they take memory from one place, and give it back to there.

    The GNU C library gives each thread a heap of its own, of which most stays empty and is never given back. Python's
    threads seldom want memory at the same moment, so that nobody waits. Other C libraries have no such word.
    """
    tell = getattr(_libc(), "mallopt", None)
    if tell is not None:
        tell(_M_ARENA_MAX, 1)


def give_back_memory() -> None:
    """Return to the system what loading took and no longer needs. Only the GNU C library can."""
    trim = getattr(_libc(), "malloc_trim", None)
    if trim is not None:
        trim(0)


def collect_seldom() -> None:
    """For a process that serves: what is loaded is never looked through again, and what is new not all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)


def die_with_parent(parent_pid: int, how: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel signal this process when its parent ends, also by kill -9. Linux only; elsewhere nothing.

    The signal follows the parent's thread that started this process, so start children from a thread that stays.
    """
    if not _prctl(_PR_SET_PDEATHSIG, how.value):
        return
    # The parent may have ended before the request was made: then nobody would ever send the signal.
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), how)


def adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent ends: nobody below can get away."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> bool:
    if not hasattr(_libc(), "prctl"):
        return False
    _libc().prctl(option, value, 0, 0, 0)
    return True


@cache
def _libc() -> ctypes.CDLL:
    # Kept, because processes that were forked and not started come here too, and have no time for it.
    return ctypes.CDLL(None, use_errno=True)
