"""The parent of everything: whatever ends it, its children end too."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.cli.children import Child
from app.cli.supervisor import Supervisor
from app.core.config import Settings
from app.core.paths import ROOT
from tests.conftest import make_settings

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STOPS_ITS_PARENT = [sys.executable, "-c", "import os, time; time.sleep(1); os.kill(os.getppid(), 15)"]
ENDS_AT_ONCE = ["true"]


class Pages:
    """A server whose health is asked for. It says no at first, as one that is starting."""

    def __init__(self, refusals: int) -> None:
        pages = self
        pages.refusals = refusals

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(503 if pages.refusals > 0 else 200)
                self.end_headers()
                pages.refusals -= 1

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def pages() -> Iterator[Pages]:
    pages = Pages(refusals=3)
    yield pages
    pages.server.shutdown()
    pages.server.server_close()


@pytest.fixture
def listening(pages: Pages, tmp_path: Path) -> Settings:
    return make_settings(tmp_path, BELFRY_LISTEN=f"127.0.0.1:{pages.server.server_port}")


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """The supervisor takes the signals of its process, which here is pytest."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


class TestSupervisor:
    def test_stops_its_children_at_a_signal_and_soon(self, listening: Settings, tmp_path: Path) -> None:
        children = [Child("web", SLEEPER), Child("worker", SLEEPER)]
        asked: list[float] = []

        def stop() -> None:
            asked.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGTERM)

        Supervisor(listening, children, folder=tmp_path).run(stop)

        assert time.monotonic() - asked[0] < 1
        assert not any(child.is_alive for child in children)

    def test_stops_its_children_when_it_fails_itself(self, listening: Settings, tmp_path: Path) -> None:
        children = [Child("web", SLEEPER), Child("worker", SLEEPER)]

        def fail() -> None:
            raise RuntimeError("broken")

        with pytest.raises(RuntimeError, match="broken"):
            Supervisor(listening, children, folder=tmp_path).run(fail)

        assert not any(child.is_alive for child in children)

    def test_does_not_greet_for_the_server_of_somebody_else(self, listening: Settings, tmp_path: Path) -> None:
        children = [Child("web", ENDS_AT_ONCE), Child("worker", STOPS_ITS_PARENT)]
        greetings: list[str] = []

        Supervisor(listening, children, folder=tmp_path).run(lambda: greetings.append("hello"))

        assert greetings == []


class TestScheduler:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_in_order_at_a_signal(self, settings: Settings, number: signal.Signals) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "scheduler"],
            cwd=ROOT,
            env=os.environ | {"BELFRY_DATA_DIR": str(settings.data_dir)},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        with process.stderr as said:
            # What comes before it: that this database has no tables.
            assert any("scheduler started" in line for line in iter(said.readline, ""))

            process.send_signal(number)

            assert (process.wait(10), "scheduler stopped" in said.read()) == (0, True)
