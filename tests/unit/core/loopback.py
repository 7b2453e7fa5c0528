"""Real sockets on this machine's loopback addresses for tests of the outbound client; nothing leaves the machine."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from errno import EADDRINUSE
from ipaddress import ip_address
from threading import Event, Thread

from app.core.http import OutboundClient, OutboundLimits, OutboundRequest, OutboundResponse, Resolver

PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2a00:1450:4001:800::200e"

# What a server does with one connection. The event is set when the test is over.
Script = Callable[[socket.socket, Event], None]


class Listeners:
    """Ports on 127.0.0.1 and, where the machine has it, ::1 that must never be connected to."""

    def __init__(self) -> None:
        first = _listen(socket.AF_INET, "127.0.0.1", 0)
        self.port: int = first.getsockname()[1]
        self._sockets = [first]
        try:
            self._sockets.append(_listen(socket.AF_INET6, "::1", self.port))
        except OSError as exc:
            # A machine without IPv6 loopback cannot be reached there either; a taken port is another matter.
            if exc.errno == EADDRINUSE:
                raise

    def connects_seen(self) -> int:
        """Connections since the last call. The kernel queues them, so that no thread and no waiting is needed."""
        return sum(_accept_all(listener) for listener in self._sockets)

    def close(self) -> None:
        for listener in self._sockets:
            listener.close()


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setblocking(False)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _accept_all(listener: socket.socket) -> int:
    seen = 0
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            seen += 1
    return seen


class ScriptedServer:
    """Plays one script to every connection, each in a thread of its own, and remembers the requests."""

    def __init__(self, script: Script | bytes, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self._tls = tls
        self._over = Event()
        self._listener = socket.create_server((host, 0))
        # Small, so that a client notices at once when the script stops reading.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> "ScriptedServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # Closing alone does not wake a thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                thread = Thread(target=self._play, args=(connection,))
                thread.start()
                self._threads.append(thread)

    def _play(self, connection: socket.socket) -> None:
        # The client hangs up whenever it has enough; that is no fault of the server.
        with suppress(OSError), connection:
            connection.settimeout(5)
            stream = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with stream:
                if callable(self.script):
                    self.script(stream, self._over)
                else:
                    self.requests.append(read_request(stream))
                    stream.sendall(self.script)


def read_request(stream: socket.socket) -> bytes:
    """Head and body of one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += stream.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += stream.recv(65_536)
    return head + b"\r\n\r\n" + body


def answer(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def zone(**names: list[str]) -> Resolver:
    """A resolver that knows these names, and reads numbers as generously as the C library does."""

    def resolve(host: str) -> list:
        if host in names:
            return [ip_address(text) for text in names[host]]
        return [ip_address(socket.inet_aton(host))]

    return resolve


def fetch(client: OutboundClient, server: ScriptedServer, path: str = "/", **more) -> OutboundResponse:
    """Ask a server of this machine for a path. Takes the fields of OutboundRequest and of OutboundLimits."""
    limits = OutboundLimits(**{name: more.pop(name) for name in list(more) if name in OutboundLimits.__annotations__})
    method = more.pop("method", "GET")
    return client.send(OutboundRequest(method, f"http://127.0.0.1:{server.port}{path}", **more), limits=limits)
