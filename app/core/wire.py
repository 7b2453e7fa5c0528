"""Names to addresses and sockets to exactly those addresses, in bounded time. Knows nothing of requests."""

import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread

import httpcore

from app.core.addresses import Address, Network, refuse_forbidden
from app.core.deadline import Deadline
from app.core.errors import Unavailable

# A dead name server keeps a lookup hanging for a minute; more of them than this would fill the process with threads.
MAX_LOOKUPS_AT_ONCE = 64
MAX_ADDRESSES_TRIED = 4

Resolver = Callable[[str], Sequence[Address]]


class FailureKind(StrEnum):
    """Which part of a request failed."""

    RESOLVE = "resolve"  # the name has no address, or nobody says which
    CONNECT = "connect"  # the machine refuses or cannot be reached
    TLS = "tls"  # no encrypted connection, or one to the wrong party
    TIMEOUT = "timeout"  # it took longer than the limit
    PROTOCOL = "protocol"  # what came back is not HTTP, or broke off
    REDIRECT = "redirect"  # sent on too often, or from https to http


class OutboundFailed(Unavailable):
    """The request was allowed, but no answer came of it. `kind` says where it ended.

    `may_have_arrived` says that it was on its way when the connection failed: nobody knows what became of it.
    """

    def __init__(self, message: str, *, kind: FailureKind, may_have_arrived: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.may_have_arrived = may_have_arrived


def system_resolver(host: str) -> Sequence[Address]:
    """Every address this machine knows for a name, best first. Raises OSError."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(ip_address(answer[4][0]) for answer in answers))


class Lookups:
    """Asks a resolver in a thread of its own, because the system's cannot be given a time limit."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._slots = BoundedSemaphore(MAX_LOOKUPS_AT_ONCE)

    def find(self, host: str, *, deadline: Deadline) -> tuple[Address, ...]:
        """The addresses of a name, at least one. Raises OutboundFailed."""
        answers: SimpleQueue[Sequence[Address] | Exception] = SimpleQueue()
        if not self._slots.acquire(timeout=deadline.seconds_left):
            raise _resolve_failure(f"The name {host} was not looked up: too many lookups are hanging.")
        try:
            Thread(target=self._ask, args=(host, answers), daemon=True).start()
        except RuntimeError as exc:
            self._slots.release()
            raise _resolve_failure(f"The name {host} was not looked up: no thread is free.") from exc
        try:
            found = answers.get(timeout=deadline.seconds_left)
        except Empty as exc:
            raise _resolve_failure(f"Looking up the name {host} took too long.") from exc
        if isinstance(found, Exception) or not found:
            raise _resolve_failure(f"The name {host} has no address. Check its spelling.")
        return tuple(found)

    def _ask(self, host: str, answers: "SimpleQueue[Sequence[Address] | Exception]") -> None:
        try:
            answers.put(self._resolver(host))
        except Exception as exc:  # noqa: BLE001 - handed to the waiting thread, which turns it into words
            answers.put(exc)
        finally:
            self._slots.release()


def _resolve_failure(message: str) -> OutboundFailed:
    return OutboundFailed(message, kind=FailureKind.RESOLVE)


class PinnedBackend(httpcore.NetworkBackend):
    """Opens connections to the given addresses, whatever name it is asked for, and to nothing else."""

    def __init__(
        self,
        addresses: Sequence[Address],
        *,
        allowed_private: Sequence[Network],
        connect_seconds: float,
        deadline: Deadline,
    ) -> None:
        self._addresses = addresses[:MAX_ADDRESSES_TRIED]
        self._allowed_private = allowed_private
        self._connect_seconds = connect_seconds
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A stream to the first address that answers. Raises OutboundFailed and OutboundRefused."""
        place = f"{host} port {port}"
        seconds = min(self._connect_seconds, self._deadline.seconds_left)
        connect_by = Deadline.after(seconds)
        failure: OSError = TimeoutError()
        for index, address in enumerate(self._addresses):
            refuse_forbidden(address, host=host, allowed_private=self._allowed_private)
            # A fair share each, so that one silent address does not use up the time of the next.
            share = connect_by.seconds_left / (len(self._addresses) - index)
            try:
                opened = _open_socket(address, port, seconds=share)
            except OSError as exc:
                failure = exc
            else:
                return _TimedStream(opened, place=place, connect_by=connect_by, deadline=self._deadline)
        raise _connect_failure(place, failure, seconds) from failure


def _open_socket(address: Address, port: int, *, seconds: float) -> socket.socket:
    if seconds <= 0:
        raise TimeoutError
    opened = socket.create_connection((str(address), port), timeout=seconds)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _connect_failure(place: str, failure: OSError, seconds: float) -> OutboundFailed:
    if isinstance(failure, TimeoutError):
        return OutboundFailed(f"{place} did not answer within {seconds:.2g} seconds.", kind=FailureKind.TIMEOUT)
    reason = (failure.strerror or "no connection").lower()
    return OutboundFailed(f"Nothing answers at {place}: {reason}.", kind=FailureKind.CONNECT)


class _TimedStream(httpcore.NetworkStream):
    """One connection that cannot outlive its deadline, however slowly the other side drips or drinks.

    The time-outs httpcore hands in are for single reads and writes; the deadlines replace them.
    """

    def __init__(self, opened: socket.socket, *, place: str, connect_by: Deadline, deadline: Deadline) -> None:
        self._socket = opened
        self._place = place
        self._connect_by = connect_by
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._arm()
            return self._socket.recv(max_bytes)
        except TimeoutError as exc:
            raise httpcore.ReadTimeout from exc
        except OSError as exc:
            raise httpcore.ReadError from exc

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                self._arm()
                rest = rest[self._socket.send(rest) :]
        except TimeoutError as exc:
            raise httpcore.WriteTimeout from exc
        except OSError as exc:
            raise httpcore.WriteError from exc

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(max(self._connect_by.seconds_left, 0.001))
            self._socket = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except OSError as exc:
            self._socket.close()
            raise _tls_failure(self._place, exc) from exc
        return self

    def get_extra_info(self, info: str) -> object:
        # Asked for to learn whether HTTP/2 was agreed on; the other keys are not needed here.
        return self._socket if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket) else None

    def _arm(self) -> None:
        if self._deadline.has_passed:
            raise TimeoutError
        # Zero would mean "do not wait", which is another error.
        self._socket.settimeout(max(self._deadline.seconds_left, 0.001))


def _tls_failure(place: str, failure: OSError) -> OutboundFailed:
    if isinstance(failure, TimeoutError):
        message = f"{place} took too long to set up an encrypted connection."
        return OutboundFailed(message, kind=FailureKind.TIMEOUT)
    if isinstance(failure, ssl.SSLCertVerificationError):
        message = f"The certificate of {place} is not trusted: {failure.verify_message}"
    else:
        message = f"{place} did not set up an encrypted connection. Is it meant to be http:// instead?"
    return OutboundFailed(message, kind=FailureKind.TLS)
