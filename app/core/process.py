"""What a process does about itself at its start: ties to its parent and orphans, and who may read its files."""

import ctypes
import gc
import os
import signal
from functools import cache

# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# After so many new objects the collector looks through the youngest, and how often it does until it looks further. A
# page makes ten thousands that go by themselves: with the usual seven hundred it is interrupted forty times.
_COLLECTED_AFTER = (10_000, 10, 50)


def keep_files_private() -> None:
    """New files are for this user alone. Databases hold password hashes, and what jobs send to other services."""
    os.umask(0o077)


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
