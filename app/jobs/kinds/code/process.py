"""Runs a function in a process of its own, and sees to it that nothing that it starts outlives the attempt."""

import os
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.core.deadline import Deadline
from app.jobs.kinds.base import Outcome, OutcomeStatus, RunContext, StopReason
from app.jobs.kinds.code.endings import outcome_of
from app.jobs.kinds.code.fork_server import START_SECONDS, environment
from app.jobs.kinds.code.inbox import Inbox
from app.jobs.kinds.code.lifeline import Order, Orders, Report, WorkerEnd
from app.jobs.kinds.code.output import LONGEST_LINE, BoundedLog, LineBuffer
from app.jobs.kinds.code.protocol import FunctionCall, encode_call
from app.jobs.kinds.code.supply import GuardSupply, NewGuard
from app.jobs.kinds.stops import stopped

POLL_SECONDS = 0.2
# Between the request to end and the end. A lost lease leaves no time for it.
GRACE_SECONDS = 2.0
# A function that has returned may leave threads behind; its process gets this long to end by itself.
LINGER_SECONDS = 2.0
# How long a guard may take to end everything before the worker does it for it.
KILL_SECONDS = 2.0
# How long to wait for the last words of what has been ended.
BURIAL_SECONDS = 1.0
MAX_CALL_BYTES = 60_000
# A fork server may die with a request in its hands, so it is asked again.
STARTS = 3

_CHUNK = 65_536


def run_function(call: FunctionCall, context: RunContext, supply: GuardSupply) -> Outcome:
    """Run a function to its end, or until the context says to stop. Callable from any thread, many at once."""
    encoded = encode_call(call)
    if len(encoded) > MAX_CALL_BYTES:
        return Outcome(OutcomeStatus.FAILED, "The arguments of the function are too large.", may_retry=False)
    log = BoundedLog(context.log)
    inbox = Inbox(log, context.progress)
    try:
        for start in range(STARTS):
            orders = Orders(context.safe_until, call.limits, environment(os.environ), encoded)
            with _child(orders, supply.take(is_again=start > 0), log, inbox) as child:
                reason = _attend(child, inbox, context, supply)
            if child.has_begun or reason is not None:
                return outcome_of(inbox.end, reason=reason, report=child.report, limits=call.limits)
        failed = "The function's process could not be started. The worker's log may say why."
    except OSError as error:
        failed = f"The function's process could not be run: {error.strerror}."
    finally:
        log.close()
    # A worker that stops or loses the run has nothing to start it with, and that is not the function's failure.
    reason = context.stop_reason()
    return Outcome(OutcomeStatus.FAILED, failed) if reason is None else stopped(reason)


class Child:
    """The processes of one run, as their worker holds them: the line to the guard, and the pipes to read from."""

    def __init__(self, lifeline: WorkerEnd, readers: dict[int, Callable[[bytes], None]]) -> None:
        self._lifeline = lifeline
        self._readers = readers
        self._selector = selectors.DefaultSelector()
        for handle in (lifeline.fileno(), *readers):
            self._selector.register(handle, selectors.EVENT_READ)
        self._is_over = False

    @property
    def has_begun(self) -> bool:
        """Whether its guard has taken the orders. Until then nothing of the function can have run."""
        return self._lifeline.has_begun

    @property
    def report(self) -> Report | None:
        """The guard's last word, if it came to say one."""
        return self._lifeline.report

    def attend(self, seconds: float) -> bool:
        """Read what there is, waiting at most this long for something. Whether any process of the run is left."""
        ready = {key.fd for key, _ in self._selector.select(seconds)}
        for pipe in [pipe for pipe in self._readers if pipe in ready]:
            self._read(pipe)
        # A report comes when nothing is left. Without one the line ends when the fork server has ended what was left.
        if self._lifeline.fileno() in ready and (not self._lifeline.receive() or self.report is not None):
            self._selector.unregister(self._lifeline.fileno())
            self._is_over = True
        return not self._is_over

    def renew(self, safe_until: Deadline) -> None:
        """Let the function go on until then. Its guard ends it by itself when nobody says so in time."""
        self._lifeline.renew(safe_until)

    def ask_to_end(self) -> None:
        self._lifeline.give(Order.TERM)

    def kill(self) -> None:
        self._lifeline.give(Order.KILL)

    def bury(self) -> None:
        """End what is left, read what is left in the pipes, and let go of everything."""
        patience = Deadline.after(KILL_SECONDS)
        if not self._is_over:
            self.kill()
        while not self._is_over and not patience.has_passed:
            self.attend(patience.seconds_left)
        if not self._is_over:
            self._lifeline.force()
        # A pipe ends when the last process that holds it is dead: the sign that all of them are.
        over = Deadline.after(BURIAL_SECONDS)
        while self._readers and not over.has_passed:
            self.attend(over.seconds_left)
        self._selector.close()
        # What has begun must not be asked for again, however late it did.
        self._lifeline.stop_listening()

    def _read(self, pipe: int) -> None:
        piece = os.read(pipe, _CHUNK)
        if piece:
            self._readers[pipe](piece)
        else:
            self._selector.unregister(pipe)
            del self._readers[pipe]


@contextmanager
def _child(orders: Orders, guard: NewGuard, log: BoundedLog, inbox: Inbox) -> Iterator[Child]:
    """Processes that have been told what to do. At the end of the block none of them exists any more."""
    text = LineBuffer(LONGEST_LINE)
    try:
        guard.lifeline.send_orders(orders)
        # Printed text first: what a function prints before it ends should stand before its end.
        child = Child(
            guard.lifeline, {guard.output: lambda piece: log.add(text.feed(piece)), guard.results: inbox.feed}
        )
        try:
            yield child
        finally:
            child.bury()
            log.add(text.finish())
    finally:
        guard.close()


def _attend(child: Child, inbox: Inbox, context: RunContext, supply: GuardSupply) -> StopReason | None:
    """Stay until the process has ended. The reason it was stopped for, if it was."""
    reason: StopReason | None = None
    kill_at: Deadline | None = None
    start_by = Deadline.after(START_SECONDS)
    while child.attend(POLL_SECONDS):
        child.renew(context.safe_until)
        asked = context.stop_reason()
        is_late = kill_at is not None and kill_at.has_passed
        if is_late or asked is StopReason.LEASE_LOST:
            # The end of the block kills, and makes sure of it.
            return reason or asked
        if not child.has_begun and supply.fork_server.is_loading:
            start_by = Deadline.after(START_SECONDS)
        if not child.has_begun and start_by.has_passed:
            supply.fork_server.replace()
            return None
        if asked is not None and reason is None:
            child.ask_to_end()
            kill_at = Deadline.after(GRACE_SECONDS)
        elif inbox.end is not None and kill_at is None:
            kill_at = Deadline.after(LINGER_SECONDS)
        reason = reason or asked
    return reason
