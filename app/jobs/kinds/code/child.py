"""Where a function's process begins: a guard that does nothing but watch, and beneath it the process of the function.

The guard loads no code of others, so nothing can keep it from ending the whole group when the worker is gone or
the time is over for which the worker was given the right to run the function.
"""

import importlib
import os
import resource
import select
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from app.core.deadline import Deadline
from app.core.process import die_with_parent
from app.jobs.kinds.code.lifeline import GuardEnd

# How often the guard looks at the clock: waiting counts by another one, which stands still while the machine sleeps.
LOOK_SECONDS = 0.5


def main() -> None:
    """`child PARENT_PID RESULT_PIPE SAFE_UNTIL`, with the call and all renewals as lines on standard input.

    SAFE_UNTIL and its renewals are seconds of the boot clock, the same for all processes of a machine.
    """
    parent_pid, result_pipe, safe_until = int(sys.argv[1]), int(sys.argv[2]), Deadline(float(sys.argv[3]))
    # First tie: the kernel signals when the worker's thread that started this ends. A signal that can be
    # caught, because the death of the guard alone would leave what the function started behind.
    signal.signal(signal.SIGHUP, lambda *_: _kill_group())
    die_with_parent(parent_pid, signal.SIGHUP)
    lifeline = GuardEnd(_take_over_stdin(), safe_until)
    line = lifeline.read_call()
    if line is None:
        sys.exit("The worker ended before it said what to do.")
    guard_pid = os.getpid()
    function_pid = os.fork()
    if function_pid:
        os.close(result_pipe)
        _guard(function_pid, lifeline)
    os.close(lifeline.pipe)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # Also when the function has left the group, it goes with the guard.
    die_with_parent(guard_pid, signal.SIGKILL)
    # What the function starts must not hold the pipe open.
    os.set_inheritable(result_pipe, False)
    # Loading this takes most of the start; by its name, because the guard has to be without it.
    importlib.import_module("app.jobs.kinds.code.runner").run(line, result_pipe)


def _take_over_stdin() -> int:
    """The pipe under another number, so that a function that reads standard input finds it empty."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return lifeline


def _guard(function_pid: int, lifeline: GuardEnd) -> NoReturn:
    """Wait for the end of the function and end in the same way.

    Second tie: standard input ends with the worker. Third: a worker that stands still renews nothing.
    """
    # The request to end is the function's to follow.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _stay_while_safe(os.pidfd_open(function_pid), lifeline)
    status = os.waitstatus_to_exitcode(os.waitpid(function_pid, 0)[1])
    _leave_a_watch(lifeline)
    if status < 0:
        # One core file of a crash is enough.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _end_by(-status)
    os._exit(status)


def _leave_a_watch(lifeline: GuardEnd) -> None:
    """Have a copy stay that watches what the function left behind, until the worker ends them all.

    That follows at once, unless the worker stands still.
    """
    # Where no process can be started any more, the status of the function still has to be told.
    with suppress(OSError):
        if os.fork() == 0:
            # It waits for its own end: only to be killed ends it.
            _stay_while_safe(os.pidfd_open(os.getpid()), lifeline)


def _stay_while_safe(end: int, lifeline: GuardEnd) -> None:
    """Return when the function has ended. Kill the group when it may not go on."""
    while True:
        wait = min(lifeline.safe_until.seconds_left, LOOK_SECONDS)
        ready, _, _ = select.select([end, lifeline.pipe], [], [], wait)
        if end in ready:
            return
        # What has come counts before the clock does: it may be the renewal.
        has_worker = lifeline.pipe not in ready or lifeline.read_renewals()
        if not has_worker or lifeline.safe_until.has_passed:
            _kill_group()


def _end_by(number: int) -> None:
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _kill_group() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
