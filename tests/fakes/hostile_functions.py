"""Functions that do their worst. All they start holds a lock on a file, so that a test sees whether any is left."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel

from app.jobs.kinds.code.catalog import job
from app.jobs.kinds.code.context import FunctionContext

# Nothing here goes on for longer, should nobody end it.
FOREVER = 60
MIB = 1024 * 1024


class Mark(BaseModel):
    """The file to lock, and how many."""

    path: str
    count: int = 1


def hold(path: str) -> None:
    """Lock the file for as long as this process, or any that it forks, is alive."""
    fcntl.flock(os.open(path, os.O_RDWR | os.O_CREAT), fcntl.LOCK_SH)


def ignore_requests() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def make_daemon() -> None:
    """Fork a process of another session, whose parent has ended, and which listens to nobody."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork() == 0:
        ignore_requests()
        time.sleep(FOREVER)
    os._exit(0)


@job("haunt", title="Haunt", summary="Leaves daemons.", idempotent=False)
def haunt(context: FunctionContext, arguments: Mark) -> None:
    hold(arguments.path)
    for _ in range(arguments.count):
        make_daemon()


@job("possess", title="Possess", summary="Stays with daemons.", idempotent=False)
def possess(context: FunctionContext, arguments: Mark) -> None:
    hold(arguments.path)
    for _ in range(arguments.count):
        make_daemon()
    ignore_requests()
    print("ready")
    time.sleep(FOREVER)


@job("stun", title="Stun", summary="Stops its guard.", idempotent=False)
def stun(context: FunctionContext, arguments: Mark) -> None:
    hold(arguments.path)
    make_daemon()
    os.kill(os.getppid(), signal.SIGSTOP)
    print("ready")
    time.sleep(FOREVER)


@job("betray", title="Betray", summary="Kills its guard.", idempotent=False)
def betray(context: FunctionContext, arguments: Mark) -> None:
    hold(arguments.path)
    make_daemon()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(FOREVER)


@job("desert", title="Desert", summary="Kills its guard.", idempotent=False)
def desert(context: FunctionContext, arguments: Mark) -> None:
    hold(arguments.path)
    for _ in range(arguments.count):
        if os.fork() == 0:
            # Nothing of it is left to be heard of.
            os.setsid()
            handles = [int(name) for name in os.listdir("/proc/self/fd")]
            for handle in handles:
                close_pipe(handle)
            time.sleep(FOREVER)
    time.sleep(0.3)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(FOREVER)


def close_pipe(handle: int) -> None:
    with suppress(OSError):
        if stat.S_ISFIFO(os.fstat(handle).st_mode):
            os.close(handle)


class Bomb(Mark):
    """How the bomb hides."""

    scatters: bool = False


@job("bomb", title="Bomb", summary="Forks for ever.", idempotent=False)
def bomb(context: FunctionContext, arguments: Bomb) -> None:
    hold(arguments.path)
    ignore_requests()
    over = time.monotonic() + FOREVER / 3
    while time.monotonic() < over:
        try:
            is_new = os.fork() == 0
        except OSError:
            continue
        if is_new and arguments.scatters:
            os.setsid()


@job("hoard", title="Hoard", summary="Takes memory in a child.", idempotent=False)
def hoard(context: FunctionContext, arguments: Mark) -> None:
    hold(arguments.path)
    # By several processes, each of which takes little enough to be given it.
    for _ in range(4):
        if os.fork() == 0:
            kept = bytearray(arguments.count * MIB)
            kept[:: os.sysconf("SC_PAGE_SIZE")] = b"x" * len(kept[:: os.sysconf("SC_PAGE_SIZE")])
            break
    time.sleep(FOREVER)


@job("gulp", title="Gulp", summary="Takes memory at once.", idempotent=False)
def gulp(context: FunctionContext, arguments: Mark) -> None:
    hold(arguments.path)
    print(len(bytearray(arguments.count * MIB)))


@job("pour", title="Pour", summary="Writes without end.", idempotent=False)
def pour(context: FunctionContext, arguments: Mark) -> None:
    hold(arguments.path)
    piece = (b"x" * 127 + b"\n") * 8_192
    for _ in range(arguments.count):
        sys.stdout.buffer.write(piece)


@job("scream", title="Scream", summary="Writes one line.", idempotent=False)
def scream(context: FunctionContext, arguments: Mark) -> None:
    hold(arguments.path)
    subprocess.run(["head", "-c", str(arguments.count * MIB), "/dev/zero"], check=True)


@job("await_word", title="Wait", summary="Waits for a file.", idempotent=False)
def await_word(context: FunctionContext, arguments: Mark) -> dict[str, bool]:
    hold(arguments.path)
    print("ready")
    while not Path(f"{arguments.path}.word").exists():
        time.sleep(0.01)
    return {"heard": True}
