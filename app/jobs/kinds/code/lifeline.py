"""The line between a worker and the guard of one run: orders go down, reports come up, each in a packet of its own.

It is a pair of sockets that only these two hold, so that its end tells each of the death of the other.
"""

import array
import json
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum

from app.core.deadline import Deadline
from app.jobs.kinds.code.limits import Breach, Limit, Limits
from app.jobs.kinds.code.tree import kill_below

# More than any packet: a call of the longest size with the environment around it.
LARGEST = 1_048_576
_RENEWAL = b"until "
_BORN = b"born "
_BEGUN = b"begun"
_GONE = (BrokenPipeError, ConnectionResetError)


class Order(Enum):
    """What a worker tells a guard beside orders and renewals."""

    TERM = b"term"  # ask all of them to end
    KILL = b"kill"  # end all of them


@dataclass(frozen=True)
class Orders:
    """What a guard is told first: what to run, in which surroundings, within which limits and until when."""

    safe_until: Deadline
    limits: Limits
    environment: Mapping[str, str]
    call: bytes

    def encode(self) -> bytes:
        head = {
            "safe_until": self.safe_until.at,
            "limits": asdict(self.limits),
            "environment": dict(self.environment),
        }
        return json.dumps(head).encode() + b"\n" + self.call

    @classmethod
    def decode(cls, packet: bytes) -> "Orders":
        head, _, call = packet.partition(b"\n")
        facts = json.loads(head)
        return cls(Deadline(facts["safe_until"]), Limits(**facts["limits"]), facts["environment"], call)


@dataclass(frozen=True)
class Report:
    """How the function's process ended: its exit status, negative for a signal, and the limit it was ended for."""

    exit_status: int
    breach: Breach | None = None


@dataclass(frozen=True)
class GuardProcess:
    """A guard by its number, and a hold on it that no other process can come to have."""

    pid: int
    handle: int


class WorkerEnd:
    """The worker's side. `guard` is there once it has reported that it lives."""

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._line = line
        self._told = Deadline(0)
        self.guard: GuardProcess | None = None
        # Whether it has taken the orders. Until then nothing of the function can have run.
        self.has_begun = False
        self.report: Report | None = None

    def fileno(self) -> int:
        return self._line.fileno()

    def send_orders(self, orders: Orders) -> None:
        """Tell a guard, which may not even be born yet. That one is dead already is said by the end of the line."""
        with suppress(*_GONE):
            self._line.send(orders.encode())
            self._told = orders.safe_until

    def renew(self, safe_until: Deadline) -> None:
        """Tell until when the run may go on, if that is new. Never waits: what does not fit now is for next time."""
        if safe_until != self._told and self._send(_RENEWAL + repr(safe_until.at).encode()):
            self._told = safe_until

    def give(self, order: Order) -> None:
        """Give an order, also to a guard that the function made to stand still."""
        self._send(order.value)
        self._signal_guard(signal.SIGCONT)

    def receive(self) -> bool:
        """Take what has come, one packet. False at the end of the line: the guard is dead, or was never born."""
        try:
            packet, handles, _, _ = socket.recv_fds(self._line, LARGEST, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            # It died with orders unread. That is told once, and before what it said last.
            return self.receive()
        if packet.startswith(_BORN):
            self.guard = GuardProcess(int(packet.removeprefix(_BORN)), handles[0])
        elif packet == _BEGUN:
            self.has_begun = True
        elif packet:
            self.report = _read_report(packet)
        return bool(packet)

    def force(self) -> None:
        """Do the guard's work, because it does not: kill all below it, and then itself."""
        if self.guard is not None:
            kill_below(self.guard.pid)
            self._signal_guard(signal.SIGKILL)

    def stop_listening(self) -> None:
        """Take what has come, and let nothing more come: a guard that was not heard to begin now never will."""
        self._line.shutdown(socket.SHUT_RD)
        while self.receive():
            pass

    def close(self) -> None:
        self._line.close()
        if self.guard is not None:
            os.close(self.guard.handle)

    def _signal_guard(self, how: signal.Signals) -> None:
        if self.guard is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.guard.handle, how)

    def _send(self, packet: bytes) -> bool:
        try:
            self._line.send(packet)
        except (BlockingIOError, *_GONE):
            return False
        return True


class GuardEnd:
    """The guard's side. `safe_until` is the newest moment it was told: after it nothing may run any more."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.safe_until = Deadline(0)

    def fileno(self) -> int:
        return self._line.fileno()

    def tell_born(self) -> None:
        """Hand the worker a hold on this process."""
        handle = os.pidfd_open(os.getpid())
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle]))]
        with suppress(*_GONE):
            self._line.sendmsg([_BORN + str(os.getpid()).encode()], ancillary)
        os.close(handle)

    def receive_orders(self) -> bytes | None:
        """Wait for the first packet and say that it came. None when nothing may begin, because nobody wants it now."""
        packet = self._take()
        if not packet or packet == Order.KILL.value:
            return None
        self.safe_until = Orders.decode(packet).safe_until
        if self.safe_until.has_passed:
            return None
        # Told before anything runs: a worker that was not told may ask another guard.
        with suppress(*_GONE):
            self._line.send(_BEGUN)
            return packet
        return None

    def receive(self) -> Order | None:
        """Take one packet: a renewal is noted and answered with None. The end of the line is the order to kill."""
        packet = self._take()
        if not packet:
            return Order.KILL
        if packet.startswith(_RENEWAL):
            self.safe_until = Deadline(float(packet.removeprefix(_RENEWAL)))
            return None
        return Order(packet)

    def send_report(self, report: Report) -> None:
        # A worker that is dead needs to know nothing.
        with suppress(*_GONE):
            self._line.send(json.dumps(asdict(report)).encode())

    def close(self) -> None:
        self._line.close()

    def _take(self) -> bytes:
        try:
            return self._line.recv(LARGEST)
        except ConnectionResetError:
            # The worker died with something unread.
            return b""


def line() -> tuple[socket.socket, socket.socket]:
    """The two ends of a new line."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def _read_report(packet: bytes) -> Report:
    facts = json.loads(packet)
    breach = facts["breach"]
    return Report(facts["exit_status"], breach and Breach(Limit(breach["limit"]), breach["measured"]))
