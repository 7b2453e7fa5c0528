"""The fakes on a port of this machine, with everything that can go wrong on a wire."""

import gzip
import socket
import struct
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from tests.fakes.providers.wire import Answer, Call, Delivery
from tests.fakes.providers.world import World

DRIP_SECONDS = 0.05
SMALLEST_PACKED = 200


class FakeServer:
    """Serves a world on 127.0.0.1 until it is left. Port 0 takes a free one."""

    def __init__(self, world: World, *, port: int = 0) -> None:
        self.world = world
        self._over = Event()
        self._server = _Listener(("127.0.0.1", port), _handler(world, self._over))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "FakeServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Listener(ThreadingHTTPServer):
    # Closing waits for every answer that is under way; `over` makes the slow ones end.
    daemon_threads = False
    block_on_close = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked hung up: their affair. A fault of the fake itself is answered with 599 before this."""


def _handler(world: World, over: Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call.of(self.command, self.path, headers, self.rfile.read(length))
            try:
                answer = world.answer(call)
            except Exception as error:
                answer = Answer.of_json({"the fake is broken": repr(error)}, status=599)
            with suppress(OSError):
                self._send(_packed(answer, headers.get("accept-encoding", "")))

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the library looks for these names

        def _send(self, answer: Answer) -> None:
            if answer.delivery is not Delivery.WHOLE:
                self.close_connection = True
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            match answer.delivery:
                case Delivery.WHOLE:
                    self.wfile.write(answer.body)
                case Delivery.CUT:
                    self._cut(answer.body)
                case Delivery.SLOW:
                    over.wait()
                case Delivery.DRIP:
                    self._drip(answer.body)

        def _cut(self, body: bytes) -> None:
            self.wfile.write(body[: len(body) // 2])
            # Lingering for no time makes the kernel reset the connection instead of closing it.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

        def _drip(self, body: bytes) -> None:
            for position in range(len(body)):
                self.wfile.write(body[position : position + 1])
                if over.wait(DRIP_SECONDS):
                    return

        def log_message(self, *_: object) -> None:
            """The world keeps what was asked."""

    return Handler


def _packed(answer: Answer, accepted: str) -> Answer:
    if "gzip" not in accepted or len(answer.body) < SMALLEST_PACKED:
        return answer
    headers = (*answer.headers, ("Content-Encoding", "gzip"))
    return Answer(answer.status, gzip.compress(answer.body, mtime=0), headers, answer.delivery)
