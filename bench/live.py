"""Fifty browsers with five tabs each on one web process with eight threads, while runs end: what polls and pages take.

Each browser asks for the counters as live.js does, one tab for all of them. The tab that is looked at fetches its parts
again when they changed, with the tag of what it has; the others wait until somebody looks. Meanwhile people open pages.

Those who ask are one process on the same machine. How late they were themselves is measured, too, and how much of a
processor there was to be had just before: on a busy machine the other figures say nothing about the server.
"""

import argparse
import itertools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from typing import Any

from app.core.clock import DatabaseClock
from app.core.paths import ROOT
from app.factory import create_app
from app.jobs.models import Job
from app.ops.heartbeats import BEAT_SECONDS, beat, facts_of_this_process
from app.tenants.roles import Role
from app.tenants.sign_in import start_session
from bench.figures import percentile, print_figures
from bench.history import Large, fill_large
from bench.installation import STOP_SECONDS, Installation, free_port, installation
from bench.services import Engine
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.tenants import make_member
from tests.factories.work import make_job

SCHEDULES = 5_000
RUNS = {Engine.EMBEDDED: 50_000, Engine.SERVICES: 100_000}
SECONDS = 60
# As live.js waits, and how much longer each tab at most.
PERIOD_SECONDS, JITTER_SECONDS = 2.5, 0.3
# What 95 of 100 may take: any answer, and the time until a browser shows what has changed.
BAR_MS, BAR_SHOWN_MS = 100, 3_000
# Whoever asks this much later than intended measures the machine.
LATE_MS = 20
# A second of work that takes longer than this many seconds shares its processor with others.
BUSY_RATIO = 1.25
# What a tab looks at, and the parts of it that runs change.
VIEWS = (
    ("/schedules", ("/schedules/rows", "/schedules/tiles")),
    ("/runs", ("/runs",)),
    ("/", ("/",)),
    ("/queue", ("/queue",)),
    ("/runs?state=failed", ("/runs?state=failed",)),
)
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@dataclass
class Times:
    """Milliseconds of each kind of request, and what else came back. Any number of threads."""

    polls: list[float] = field(default_factory=list)
    quiet_polls: list[float] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    # From when a run has ended until a browser has the parts that say so.
    shown: list[float] = field(default_factory=list)
    # How much later than intended somebody asked.
    late: list[float] = field(default_factory=list)
    unchanged: int = 0
    wrong: list[str] = field(default_factory=list)
    # When runs ended.
    changes: list[float] = field(default_factory=list)


class Browser:
    """One that is signed in and keeps its connection."""

    def __init__(self, port: int, cookie: str, times: Times) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookie, self._times = cookie, times
        self._tags: dict[str, str] = {}
        self._known = b""
        self._changes_shown = 0

    def ask(self, path: str, kept: list[float] | None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Send a request and note how long the answer took."""
        sent = {"Cookie": self._cookie, "Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin", **headers}
        began = time.perf_counter()
        answer = self._send(path, sent)
        body = answer.read()
        if kept is not None:
            kept.append((time.perf_counter() - began) * 1_000)
        if answer.status not in {200, 204, 304}:
            self._times.wrong.append(f"{path}: {answer.status}")
        return answer.status, body, dict(answer.getheaders())

    def _send(self, path: str, headers: dict[str, str]) -> HTTPResponse:
        try:
            self._connection.request("GET", path, headers=headers)
            return self._connection.getresponse()
        except (RemoteDisconnected, ConnectionError):
            # The server does not keep idle connections for long; browsers, too, open another one then.
            self._connection.close()
            self._connection.request("GET", path, headers=headers)
            return self._connection.getresponse()

    def watch(self, view: int, until: float) -> None:
        """Look at one page with four others behind it, as long as that."""
        page, parts = VIEWS[view % len(VIEWS)]
        pause = PERIOD_SECONDS + random.uniform(0, JITTER_SECONDS)
        time.sleep(random.uniform(0, pause))
        # A page comes with the counters that it was made by; here they are asked for just before.
        _status, self._known, _ = self.ask("/live", None, Accept="application/json", **{"Accept-Encoding": ""})
        self._changes_shown = len(self._times.changes)
        self.ask(page, None)
        while time.monotonic() < until:
            self._wait(pause)
            asked_at = time.monotonic()
            status, body, _ = self._poll(self._known)
            if status == 200:
                self._known = body
                for part in parts:
                    self._refresh(part)
                self._note_shown(asked_at)

    def _wait(self, seconds: float) -> None:
        began = time.monotonic()
        time.sleep(seconds)
        self._times.late.append((time.monotonic() - began - seconds) * 1_000)

    def _note_shown(self, asked_at: float) -> None:
        """What had changed before this browser asked is what it shows now."""
        now, changes = time.monotonic(), self._times.changes
        while self._changes_shown < len(changes) and changes[self._changes_shown] <= asked_at:
            self._times.shown.append((now - changes[self._changes_shown]) * 1_000)
            self._changes_shown += 1

    def open_pages(self, until: float) -> None:
        """Go from page to page, as long as that."""
        for page, _parts in itertools.cycle(VIEWS):
            if time.monotonic() > until:
                return
            self.ask(page, self._times.pages)
            self._wait(1)

    def _poll(self, known: bytes) -> tuple[int, bytes, dict[str, str]]:
        since = ".".join(word.split(b":")[1].strip(b"} \n").decode() for word in known.split(b",")) if known else ""
        kept: list[float] = []
        answer = self.ask(f"/live?since={since}", kept, Accept="application/json", **{"Accept-Encoding": ""})
        self._times.polls.extend(kept)
        if answer[0] == 204:
            self._times.quiet_polls.extend(kept)
        return answer

    def _refresh(self, part: str) -> None:
        tag = {"If-None-Match": self._tags[part]} if part in self._tags else {}
        status, _body, headers = self.ask(part, self._times.parts, **PART, **tag)
        self._times.unchanged += status == 304
        if "ETag" in headers:
            self._tags[part] = headers["ETag"]


@contextmanager
def web_process(port: int) -> Iterator[None]:
    """gunicorn as Belfry starts it: one process with eight threads."""
    configuration = str(ROOT / "deploy" / "gunicorn.conf.py")
    process = subprocess.Popen([sys.executable, "-m", "gunicorn", "wsgi:app", "--config", configuration], cwd=ROOT)
    try:
        _wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the pages did not come up")


def _cookies(place: Installation, large: Large, count: int) -> list[str]:
    """Of as many people of the large organization, each signed in."""
    app = create_app(place.settings)
    found = []
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        for number in range(count):
            email = f"viewer-{number}@example.com"
            person = make_member(session, organization_id=large.organization_id, role=Role.VIEWER, email=email)
            token = start_session(session, user_id=person.user_id, email=email, user_agent="bench", now=now)
            client = app.test_client()
            with client.session_transaction() as cookie:
                cookie["_user_id"] = token
            kept: Any = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
            found.append(f"{kept.key}={kept.value}")
    return found


def _keep_time(place: Installation, until: float) -> None:
    """As a scheduler with a worker does: what banners ask besides is no part of an open page."""
    facts = facts_of_this_process(version="bench", slots=5, schedules=True)
    while time.monotonic() < until:
        with place.database.transaction() as session:
            now = DatabaseClock().now(session)
            beat(session, facts, now=now, ticked_at=now, tick_ms=1)
        time.sleep(min(BEAT_SECONDS, max(0.0, until - time.monotonic())))


def _end_runs(place: Installation, large: Large, times: Times, every: float, until: float) -> None:
    """Let a run of the organization end that often, one in ten of them badly."""
    with place.database.transaction() as session:
        job_id = make_job(session, large.organization_id, name="Goes on").id
    for number in itertools.count():
        if time.monotonic() > until:
            return
        with place.database.transaction() as session:
            make = make_failed if number % 10 == 0 else make_succeeded
            make(session, session.get_one(Job, job_id), now=DatabaseClock().now(session))
        times.changes.append(time.monotonic())
        time.sleep(every)


def main() -> None:
    """Fill, start, let everybody watch, and say what it took and whether that is little enough."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--browsers", type=int, default=50)
    parser.add_argument("--people", type=int, default=3, help="who go from page to page meanwhile")
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--run-every", type=float, default=5.0, help="seconds between two runs that end; 0 for none")
    options = parser.parse_args()
    port = free_port()
    with installation(options.engine, BELFRY_LISTEN=f"127.0.0.1:{port}") as place:
        large = fill_large(place, schedules=options.schedules, runs=options.runs or RUNS[options.engine])
        cookies = _cookies(place, large, options.browsers + options.people)
        with web_process(port):
            busy = _busy_ratio()
            times = _measure(place, large, port, cookies, options)
    if times.wrong:
        raise SystemExit(f"{len(times.wrong)} answers were wrong, first: {times.wrong[0]}")
    figures = _figures(times, options) | {"busy_ratio": busy}
    for line in _verdicts(figures):
        print(line)
    print_figures("live", options.engine, figures)


def _busy_ratio() -> float:
    """How long a second of work takes: one second, where nobody else works."""
    began, worked = time.perf_counter(), time.thread_time()
    while time.thread_time() - worked < 1:
        pass
    return time.perf_counter() - began


def _measure(place: Installation, large: Large, port: int, cookies: list[str], options: argparse.Namespace) -> Times:
    # The first answers of a process compile templates and statements.
    for page, parts in VIEWS:
        for path in (page, *parts):
            Browser(port, cookies[0], Times()).ask(path, None)
    times, until = Times(), time.monotonic() + options.seconds
    threads = [
        threading.Thread(target=_keep_time, args=(place, until)),
        *(
            threading.Thread(target=Browser(port, cookie, times).watch, args=(view, until))
            for view, cookie in enumerate(cookies[: options.browsers])
        ),
        *(
            threading.Thread(target=Browser(port, cookie, times).open_pages, args=(until,))
            for cookie in cookies[options.browsers :]
        ),
    ]
    if options.run_every:
        threads.append(threading.Thread(target=_end_runs, args=(place, large, times, options.run_every, until)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def _figures(times: Times, options: argparse.Namespace) -> dict[str, float]:
    return {
        "browsers": options.browsers, "tabs": 5 * options.browsers,
        "polls_per_s": len(times.polls) / options.seconds, "poll_p50_ms": percentile(times.polls, 50),
        "poll_p95_ms": percentile(times.polls, 95),
        "quiet_poll_p95_ms": percentile(times.quiet_polls, 95) if len(times.quiet_polls) > 1 else 0.0,
        "parts_per_s": len(times.parts) / options.seconds,
        "part_p95_ms": percentile(times.parts, 95) if len(times.parts) > 1 else 0.0,
        "changes": len(times.changes), "shown_p95_ms": percentile(times.shown, 95) if len(times.shown) > 1 else 0.0,
        "unchanged_percent": 100 * times.unchanged / max(1, len(times.parts)),
        "pages": len(times.pages), "page_p50_ms": percentile(times.pages, 50),
        "page_p95_ms": percentile(times.pages, 95), "asked_late_p95_ms": percentile(times.late, 95),
    }  # fmt: skip


def _verdicts(figures: dict[str, float]) -> Iterator[str]:
    """Each bar: what 95 of 100 took, what they may take, and whether that was kept."""
    bars = {
        "a poll": ("poll_p95_ms", BAR_MS), "a part that is fetched again": ("part_p95_ms", BAR_MS),
        "a page": ("page_p95_ms", BAR_MS), "until a change is shown": ("shown_p95_ms", BAR_SHOWN_MS),
    }  # fmt: skip
    for name, (figure, bar) in bars.items():
        word = "kept" if figures[figure] <= bar else "BEYOND"
        yield f"{name:30} p95 {figures[figure]:8.1f} ms of {bar:,}: {word}"
    if figures["asked_late_p95_ms"] > LATE_MS:
        late = f"Those who asked were {figures['asked_late_p95_ms']:.0f} ms late themselves"
        yield f"{late} (95 of 100): the machine was too busy for these figures to count."
    if figures["busy_ratio"] > BUSY_RATIO:
        slow = f"A second of work took {figures['busy_ratio']:.1f} s before"
        yield f"{slow}: others work on this machine, and these figures do not count."


if __name__ == "__main__":
    main()
