"""A whole installation with its real processes, and a real browser to use it with."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from app.core.paths import ROOT
from tests.factories.tenants import Member
from tests.journeys.schedules.site import Site, open_site

PASSWORD = "correct horse battery staple"
PATIENCE_SECONDS = 40.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# A form that is refused is no fault, nor is a session that a test ended or a network that it cut: Chromium reports all.
HARMLESS = re.compile("status of (401|409|422)|INTERNET_DISCONNECTED|Failed to fetch")
ELSEWHERE = "belfry.test"
# A machine with more to do takes longer over a page, and is waited for.
expect.set_options(timeout=15_000)
# Chromium as root in a container, on a machine without a way out.
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name that browsers do not take for this very machine, as an address in a local network.
    f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
]


def wait_until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition, and name it when it does not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.1)


class Belfry:
    """`belfry up` in a folder of its own, or another command that comes to the same, from another checkout."""

    def __init__(
        self, folder: Path, *, command: Sequence[str] = (sys.executable, "-m", "app.cli", "up"), checkout: Path = ROOT,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.command, self.checkout, self.patience_seconds = command, checkout, patience_seconds
        self.port = free_port()
        self.output: list[str] = []
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            cwd=self.checkout,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        give_up = time.monotonic() + self.patience_seconds
        # Its last words of greeting.
        while "Stop it with" not in self.text:
            if self.process.poll() is not None or time.monotonic() > give_up:
                self.process.terminate()
                self.process.wait(PATIENCE_SECONDS)
                pytest.fail(f"belfry up does not greet. It said: {self.text}")
            time.sleep(0.1)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "BELFRY_DATA_DIR": str(self.folder),
            "BELFRY_LISTEN": f"127.0.0.1:{self.port}",
            "BELFRY_ALLOWED_PRIVATE_ADDRESSES": "127.0.0.1",
            "BELFRY_LEASE_SECONDS": "6",
            "BELFRY_SWEEP_SECONDS": "1",
        }

    @property
    def text(self) -> str:
        return "".join(self.output)

    @property
    def setup_link(self) -> str:
        found = re.search(r"http://\S+/setup\?token=\S+", self.text)
        assert found is not None, self.text
        return found.group()

    @property
    def worker_pid(self) -> int:
        """The worker that `up` has started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
        return next(pid for pid, line in lines.items() if line.rstrip("\0").endswith("worker"))

    def stop(self) -> int:
        """Ctrl-C. Returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_SECONDS)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            self.output.extend(iter(stream.readline, ""))


class Outside:
    """A server that stands for the world: /ok, /broken, and /slow, which answers when the test lets it."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.slow_calls = 0
        outside = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status = 500 if self.path == "/broken" else 200
                if self.path == "/slow":
                    outside.slow_calls += 1
                    outside.release.wait(PATIENCE_SECONDS)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", "5")
                    self.end_headers()
                    self.wfile.write(b"hello")
                except OSError:
                    # Whoever asked was killed meanwhile, which is what one of the tests does.
                    self.close_connection = True

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def let_go(self) -> None:
        """Answer the slow calls that are under way; later ones wait again."""
        before, self.release = self.release, threading.Event()
        before.set()

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def make_http_job(
    page: Page, belfry: Belfry, name: str, url: str, *, tries: int = 3, delay: int | None = None, at_once: int = 0
) -> None:
    """Make a job of one call through its form. `delay` is in seconds; `at_once` limits its runs."""
    page.goto(f"{belfry.url}/jobs/new?kind=workflow")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Address").fill(url)
    page.get_by_text("When it fails").click()
    page.get_by_label("Tries", exact=True).fill(str(tries))
    if delay is not None:
        page.get_by_label("Seconds between tries").fill(str(delay))
    if at_once:
        page.get_by_text("Limits and queue").click()
        page.get_by_label("Runs at once").fill(str(at_once))
    page.get_by_role("button", name="Save job").click()
    expect(page.get_by_role("link", name=name)).to_be_visible()


def make_account(page: Page, belfry: Belfry) -> None:
    """Go through the setup as the first person."""
    page.goto(belfry.setup_link)
    page.get_by_label("Name").fill("Ana Silva")
    page.get_by_label("Email").fill("ana@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("navigation").first).to_be_visible()


def make_schedule(
    page: Page, belfry: Belfry, name: str, job: str, cron: str, timezone: str = "UTC", **more: str
) -> str:
    """Send the form of a schedule without opening it on the screen. Returns the address of its page."""
    form = page.request.get(f"{belfry.url}/schedules/new").text()
    job_id = re.search(rf'<option value="([0-9a-f-]+)">{re.escape(job)}</option>', form)
    hidden = dict(re.findall(r'<input[^>]* name="(csrf_token|spread_key)"[^>]* value="([^"]+)"', form))
    assert job_id is not None, form
    fields = {"overlap": "skip", "missed": "latest", "missed_limit": "10", "clock_change": "once", "enabled": "y"}
    said = {"name": name, "job_id": job_id[1], "cron": cron, "timezone": timezone}
    answer = page.request.post(f"{belfry.url}/schedules", form=hidden | fields | said | more, max_redirects=0)
    assert answer.status == 303, answer.text()
    listed = page.request.get(f"{belfry.url}/schedules?q={name}").text()
    found = re.search(rf'href="(/schedules/[0-9a-f-]+)"[^>]*>{re.escape(name)}<', listed)
    assert found is not None, listed
    return f"{belfry.url}{found[1]}"


def start_job(page: Page, belfry: Belfry, name: str) -> None:
    """Start a job by hand, also beside a run of it that goes on, and open its run."""
    page.goto(f"{belfry.url}/jobs")
    row = page.get_by_role("row").filter(has_text=name)
    row.get_by_label(f"Actions for {name}").click()
    row.get_by_role("button", name="Run now").click()
    started = page.get_by_role("status").filter(has_text="View").first
    asked = page.get_by_role("heading", level=1, name=f"Run {name} now?")
    expect(started.or_(asked)).to_be_visible()
    if asked.is_visible():
        page.get_by_role("button", name="Run now").click()
        expect(started).to_be_visible()
    page.goto(f"{belfry.url}/runs")
    runs_of(page, name).first.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def runs_of(page: Page, name: str) -> Locator:
    """The rows of a list that name it."""
    return page.get_by_role("row").filter(has_text=name)


@pytest.fixture(scope="module")
def belfry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Belfry]:
    installation = Belfry(tmp_path_factory.mktemp("belfry"))
    installation.start()
    yield installation
    if installation.process.poll() is None:
        installation.stop()


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    server = Outside()
    yield server
    server.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for found in map(shutil.which, BROWSERS) if found), None)
    assert path is not None, "there is no Chromium here: make browser"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def harmless() -> re.Pattern[str]:
    """Complaints of the browser that are none. Modules that break more say so with a fixture of this name."""
    return HARMLESS


@pytest.fixture(scope="module")
def page(browser: Browser, harmless: re.Pattern[str]) -> Iterator[Page]:
    """One tab for the whole journey. Anything the browser complains about fails it."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not harmless.search(message.text):
            complaints.append(message.text)

    page = browser.new_page(viewport={"width": 1360, "height": 900}, timezone_id="Europe/Berlin", locale="en-GB")
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(15_000)
    yield page
    heard = list(complaints)
    # What it says while it is closed is about a server that may be gone already.
    page.close()
    assert heard == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages without the other processes, for tests that say themselves what they hold and what time it is."""
    with open_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def ana(site: Site, page: Page) -> Member:
    """Whom the browser is signed in as."""
    return site.enter(page.context)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
