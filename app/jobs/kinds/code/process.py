"""Runs a function in a process of its own, and sees to it that nothing of its process group outlives the attempt."""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from app.core.config import SECRET_SETTINGS
from app.core.deadline import Deadline
from app.core.text import storable
from app.jobs.kinds.base import Outcome, OutcomeStatus, RunContext, StopReason
from app.jobs.kinds.code.lifeline import WorkerEnd
from app.jobs.kinds.code.output import LONGEST_LINE, BoundedLog, LineBuffer
from app.jobs.kinds.code.protocol import (
    LONGEST_MESSAGE,
    EndMessage,
    FunctionCall,
    LogMessage,
    decode_message,
    encode_call,
    write_line,
)
from app.jobs.kinds.stops import stopped

CHILD_MODULE = "app.jobs.kinds.code.child"
POLL_SECONDS = 0.2
# Between the request to end and the end. A lost lease leaves no time for it.
GRACE_SECONDS = 2.0
# A function that has returned may leave threads behind; its process gets this long to end by itself.
LINGER_SECONDS = 2.0
# How long to wait for the last of a killed group. Only a process that fled from the group takes as long.
BURIAL_SECONDS = 1.0
MAX_CALL_BYTES = 60_000

_CHUNK = 65_536
_PASSED_ON = frozenset({"PATH", "LANG", "TZ", "HOME"})
_PASSED_ON_PREFIXES = ("LC_", "PYTHON", "BELFRY_")


def run_function(call: FunctionCall, context: RunContext) -> Outcome:
    """Run a function to its end, or until the context says to stop. Callable from any thread, many at once."""
    line = encode_call(call)
    if len(line) > MAX_CALL_BYTES:
        return Outcome(OutcomeStatus.FAILED, "The arguments of the function are too large.", may_retry=False)
    log = BoundedLog(context.log)
    inbox = Inbox(log)
    try:
        with _child(line, context.safe_until, log, inbox) as child:
            reason = _attend(child, inbox, context)
    except OSError as error:
        return Outcome(OutcomeStatus.FAILED, f"The function's process could not be run: {error.strerror}.")
    finally:
        log.close()
    if reason is None and child.was_overdue:
        reason = StopReason.LEASE_LOST
    return _outcome(inbox.end, reason, child.exit_status)


class Inbox:
    """Takes the child's messages: log lines go into the log, the end is kept."""

    def __init__(self, log: BoundedLog) -> None:
        self._log = log
        self._lines = LineBuffer(LONGEST_MESSAGE)
        self.end: EndMessage | None = None

    def feed(self, piece: bytes) -> None:
        for line in self._lines.feed(piece):
            message = decode_message(line)
            if isinstance(message, LogMessage):
                self._write(message)
            # The first end counts: a process the function forked may come to an end of its own.
            elif message is not None and self.end is None:
                self.end = message

    def _write(self, message: LogMessage) -> None:
        lines = LineBuffer(LONGEST_LINE)
        self._log.add([*lines.feed(message.text.encode("utf-8", "replace")), *lines.finish()], message.level)


class Child:
    """A started process, leader of its own group, and the pipes that are read from it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        readers: Mapping[int, Callable[[bytes], None]],
        lifeline: WorkerEnd,
    ) -> None:
        self._process = process
        self._lifeline = lifeline
        # Tells of the end without reaping: until then the number of the group cannot be given to somebody else.
        self._end = os.pidfd_open(process.pid)
        self._readers = dict(readers)
        self._selector = selectors.DefaultSelector()
        for pipe in (self._end, *self._readers):
            self._selector.register(pipe, selectors.EVENT_READ)
        self.exit_status = 0

    def attend(self, seconds: float) -> bool:
        """Read what there is, waiting at most this long for something. Whether the process still runs."""
        ready = {key.fd for key, _ in self._selector.select(seconds)}
        for pipe in [pipe for pipe in self._readers if pipe in ready]:
            self._read(pipe)
        return self._end not in ready

    def renew(self, safe_until: Deadline) -> None:
        """Let the function go on until then. Its guard ends it by itself when nobody says so in time."""
        self._lifeline.renew(safe_until)

    @property
    def was_overdue(self) -> bool:
        """Whether the guard has ended it, because this worker stood still for too long."""
        return self.exit_status == -signal.SIGKILL and self._lifeline.told.has_passed

    def signal(self, how: signal.Signals) -> None:
        """Signal every process of the group."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)

    def bury(self) -> None:
        """Kill what is left of the group, read what is left in the pipes, and let go of everything."""
        self.signal(signal.SIGKILL)
        self.exit_status = self._process.wait()
        self._selector.unregister(self._end)
        os.close(self._end)
        # A pipe ends when the last process that holds it is dead: the sign that the whole group is.
        over = Deadline.after(BURIAL_SECONDS)
        while self._readers and not over.has_passed:
            self.attend(over.seconds_left)
        self._selector.close()

    def _read(self, pipe: int) -> None:
        piece = os.read(pipe, _CHUNK)
        if piece:
            self._readers[pipe](piece)
        else:
            self._selector.unregister(pipe)
            del self._readers[pipe]


@contextmanager
def _child(line: bytes, safe_until: Deadline, log: BoundedLog, inbox: Inbox) -> Iterator[Child]:
    """A process that has been told what to do. At the end of the block neither it nor its group exists any more."""
    results, results_end = os.pipe()
    output = LineBuffer(LONGEST_LINE)
    try:
        try:
            process = _start(results_end, safe_until)
        finally:
            os.close(results_end)
        # Leaving the block closes standard input, the child's lifeline: not before it is dead.
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            # Printed text first: what a function prints before it ends should stand before its end.
            readers = {process.stdout.fileno(): lambda piece: log.add(output.feed(piece)), results: inbox.feed}
            child = Child(process, readers, WorkerEnd(process.stdin.fileno(), safe_until))
            try:
                # A child that is dead already says more by its exit status.
                with suppress(BrokenPipeError):
                    write_line(process.stdin.fileno(), line)
                yield child
            finally:
                child.bury()
                log.add(output.finish())
    finally:
        os.close(results)


def _start(results_end: int, safe_until: Deadline) -> subprocess.Popen[bytes]:
    # -P: not whatever lies in the current folder, but exactly what this process can import.
    command = [sys.executable, "-P", "-m", CHILD_MODULE]
    command += [str(os.getpid()), str(results_end), repr(safe_until.at)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(results_end,),
        start_new_session=True,
        bufsize=0,
        env=_environment(os.environ),
    )


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in given.items()
        if (name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)) and name not in SECRET_SETTINGS
    }
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    return kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}


def _attend(child: Child, inbox: Inbox, context: RunContext) -> StopReason | None:
    """Stay until the process has ended. The reason it was stopped for, if it was."""
    reason: StopReason | None = None
    kill_at: Deadline | None = None
    while child.attend(POLL_SECONDS):
        child.renew(context.safe_until)
        asked = context.stop_reason()
        is_late = kill_at is not None and kill_at.has_passed
        if is_late or asked is StopReason.LEASE_LOST:
            # Again and again: a group can grow while it is being killed.
            child.signal(signal.SIGKILL)
        elif asked is not None and reason is None:
            child.signal(signal.SIGTERM)
            kill_at = Deadline.after(GRACE_SECONDS)
        elif inbox.end is not None and kill_at is None:
            kill_at = Deadline.after(LINGER_SECONDS)
        reason = reason or asked
    return reason


def _outcome(end: EndMessage | None, reason: StopReason | None, exit_status: int) -> Outcome:
    # What the function reported before it was stopped stays true.
    if end is None:
        return stopped(reason) if reason is not None else Outcome(OutcomeStatus.FAILED, _early_end(exit_status))
    if end.message is None:
        return Outcome(OutcomeStatus.SUCCEEDED, result=end.result)
    detail = None if end.detail is None else storable(end.detail)
    return Outcome(OutcomeStatus.FAILED, storable(end.message), detail, may_retry=end.may_retry)


def _early_end(exit_status: int) -> str:
    if exit_status >= 0:
        return f"The function's process ended with exit status {exit_status} before it returned."
    try:
        name = signal.Signals(-exit_status).name
    except ValueError:
        name = f"signal {-exit_status}"
    hint = " The machine may have run out of memory." if -exit_status == signal.SIGKILL else ""
    return f"The function's process was ended by {name} before it returned.{hint}"
