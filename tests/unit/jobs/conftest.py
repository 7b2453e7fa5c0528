"""A small web server on this machine, which says what a test told it to, and the fork server of the fake functions."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.jobs.kinds.code.supply import GuardSupply
from tests.unit.jobs.calls import guard_supply


@dataclass
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """Answers every request with `status`, `body` and `content_type`, and remembers the requests."""

    url: str = ""
    status: int = 200
    body: bytes = b"fine"
    content_type: str = "text/plain"
    more_headers: dict[str, str] = field(default_factory=dict)
    is_silent: bool = False
    requests: list[Received] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            server.requests.append(Received(self.command, self.path, dict(self.headers), body))
            if server.is_silent:
                server.closed.wait()
                return
            self.send_response(server.status)
            self.send_header("Content-Type", server.content_type)
            self.send_header("Content-Length", str(len(server.body)))
            for name, value in server.more_headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(server.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closed.set()
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def supply() -> Iterator[GuardSupply]:
    """One for all tests, as a worker has one for all runs."""
    server = guard_supply()
    yield server
    server.close()
