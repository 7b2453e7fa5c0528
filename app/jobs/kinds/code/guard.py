"""The guard of one run: a process that starts the function's process and sees to it that nothing below outlives it.

It does nothing but watch, so nothing can keep it from ending all of them when the worker is gone, when a limit is
passed, or when the time is over for which the worker was given the right to run the function.
"""

import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from app.core.process import adopt_orphans, die_with_parent
from app.jobs.kinds.code.lifeline import LARGEST, GuardEnd, Order, Orders, Report, line
from app.jobs.kinds.code.limits import Breach, Limit, Limits
from app.jobs.kinds.code.tree import end_children, kill_below, send_below
from app.jobs.kinds.code.usage import UsageWatch

# How often the guard looks at the boot clock and at what is used: waiting counts by another clock, which stands still
# while the machine sleeps.
LOOK_SECONDS = 0.1
# The limit on memory is on all processes together, and looked at now and then. This one is on what each may ask for,
# and bounds how far a single one gets between two looks. Twice, because what is asked for is not always used.
ASKED_FOR_PER_USED = 2
# When memory runs out on the machine, the kernel takes the functions before anything of ours.
_FIRST_TO_GO = b"1000"
# Against busy functions the guards and the worker come first.
_YIELDING = 5
# How far a crowd can grow between two looks, where its user is not exempt from that limit.
_CROWDS = 4


@dataclass(frozen=True)
class Handed:
    """What a worker hands over for a run: the line to it, and where output and results go."""

    line: int
    output: int
    results: int
    is_ahead: bool


def begin(handed: Handed, rehearse: Callable[[], None]) -> Orders:
    """Make this new process a guard. Returns in the function's process alone, once there is something to do there.

    Both may be born ahead of the run, and then rehearse it, so that little is left to do when it comes.
    """
    adopt_orphans()
    lifeline = GuardEnd(socket.socket(fileno=handed.line))
    to_function, from_guard = line()
    guard_pid = os.getpid()
    function_pid = os.fork()
    if function_pid:
        from_guard.close()
        os.close(handed.output)
        os.close(handed.results)
        _guard(function_pid, lifeline, to_function)
    lifeline.close()
    to_function.close()
    # Whatever kills the guard: the function itself goes with it, and what it started is left to the fork server.
    die_with_parent(guard_pid, signal.SIGKILL)
    _settle(handed.output)
    if handed.is_ahead:
        rehearse()
    packet = from_guard.recv(LARGEST)
    if not packet:
        os._exit(0)
    from_guard.close()
    orders = Orders.decode(packet)
    _limit(orders.limits)
    return orders


def _settle(output: int) -> None:
    """The surroundings of a function: a session and output of its own, default signals."""
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Neither is worth failing for, in a container that forbids it.
    with suppress(OSError):
        os.nice(_YIELDING)
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
        file.write(_FIRST_TO_GO)


def _limit(limits: Limits) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = limits.memory_bytes * ASKED_FOR_PER_USED
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
    # It counts all processes of the user, which are not more than those of the machine.
    with open("/proc/loadavg", encoding="ascii") as file:
        on_the_machine = int(file.read().split("/")[1].split()[0])
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    wanted = on_the_machine + limits.processes * _CROWDS
    resource.setrlimit(resource.RLIMIT_NPROC, (wanted if hard < 0 else min(wanted, hard), hard))


def _come_first() -> None:
    """Get a processor however many ask for one: a crowd that grows faster than it is counted could not be ended."""
    # For the privileged only. For others there is the limit on the number of their processes.
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def _guard(function_pid: int, lifeline: GuardEnd, to_function: socket.socket) -> NoReturn:
    lifeline.tell_born()
    packet = _await_orders(function_pid, lifeline)
    if packet is None:
        os.kill(function_pid, signal.SIGKILL)
        # Left to the fork server, it would never be reaped: that looks after guards that did not end well.
        os.waitpid(function_pid, 0)
        os._exit(0)
    # Should it be killed just now, that is told like any other end of it.
    with suppress(BrokenPipeError):
        to_function.send(packet)
    to_function.close()
    _come_first()
    breach = _watch(function_pid, lifeline, Orders.decode(packet).limits)
    # All of the group at one blow: that cannot be outrun by forking. Until the function is reaped, its number is its.
    for kill in (os.killpg, os.kill):
        # It may have become another user's, and then it has its time until it ends by itself.
        with suppress(ProcessLookupError, PermissionError):
            kill(function_pid, signal.SIGKILL)
    status = _reap(function_pid)
    end_children()
    lifeline.send_report(Report(os.waitstatus_to_exitcode(status), breach))
    os._exit(0)


def _await_orders(function_pid: int, lifeline: GuardEnd) -> bytes | None:
    """The orders, once they come. None when nothing may begin: nobody wants it, or nobody is left to do it."""
    end = os.pidfd_open(function_pid)
    ready, _, _ = select.select([end, lifeline.fileno()], [], [])
    os.close(end)
    # When memory runs out, the kernel takes a process that waits as well; then another guard is asked.
    return None if end in ready else lifeline.receive_orders()


def _reap(function_pid: int) -> int:
    """The status of a process that has been killed, or has ended. Others do not get away while it takes its time."""
    while True:
        reaped, status = os.waitpid(function_pid, os.WNOHANG)
        if reaped:
            return status
        kill_below(os.getpid())


def _watch(function_pid: int, lifeline: GuardEnd, limits: Limits) -> Breach | None:
    """Stay until the function has ended or may not go on. The limit that was passed, if it was one."""
    end = os.pidfd_open(function_pid)
    usage = UsageWatch(os.getpid(), limits)
    next_look = time.monotonic() + LOOK_SECONDS
    while True:
        wait = min(lifeline.safe_until.seconds_left, max(0.0, next_look - time.monotonic()))
        ready, _, _ = select.select([end, lifeline.fileno()], [], [], wait)
        if end in ready:
            return None
        # What has come counts before the clock does: it may be the renewal.
        order = lifeline.receive() if lifeline.fileno() in ready else None
        if order is Order.KILL:
            return None
        if order is Order.TERM:
            send_below(os.getpid(), signal.SIGTERM)
        if lifeline.safe_until.has_passed:
            return Breach(Limit.LEASE)
        if time.monotonic() >= next_look:
            breach = usage.breach()
            if breach is not None:
                return breach
            next_look = time.monotonic() + LOOK_SECONDS
