"""Two workers, pages and a Redis that is flushed, restarted and stopped under them: nothing is lost or done twice."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.core.config import read_settings
from app.core.paths import ROOT
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.service import JobDraft, create_job
from app.ops.kinds import job_kinds
from app.runs.models import Attempt, Run, in_state
from app.runs.states import RunState
from tests.conftest import postgres_settings
from tests.factories.tenants import PASSWORD, make_member
from tests.factories.work import make_run
from tests.fakes.database import open_everything
from tests.journeys.conftest import Belfry, wait_until
from tests.queue.redis_server import RedisServer
from tests.services.postgres import PostgresUrls

pytestmark = pytest.mark.journey

RUNS = 500
ANSWER_SECONDS = 0.15
FLUSH_SECONDS = 2.0
# The finder looks every two seconds, and a run takes a moment.
MOST_SECONDS_WITHOUT_REDIS = 10
NORMAL_AGAIN_SECONDS = 15
HINTS_KEY = "huey.redis.belfry"
REPLAYED = 2_500
DRAINED_SECONDS = 30


class Shop:
    """Counts how often each address was asked for: the side effects of runs."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        shop = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.calls[self.path] += 1
                threading.Event().wait(ANSWER_SECONDS)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Installation(Belfry):
    """`belfry up` on PostgreSQL and Redis, and a second worker beside it."""

    def __init__(self, folder: Path, urls: PostgresUrls, redis: RedisServer) -> None:
        super().__init__(folder)
        self.urls = urls
        self.redis = redis
        self.database = open_everything(urls.login, admin_url=urls.admin)

    @property
    def environment(self) -> dict[str, str]:
        return (
            super().environment
            | postgres_settings(self.urls)
            | {"BELFRY_BROKER_URL": self.redis.url, "BELFRY_SECRET_KEY": "k" * 48, "BELFRY_WORKERS": "4"}
        )

    def start(self) -> None:
        super().start()
        command = [sys.executable, "-m", "app.cli", "worker", "--no-scheduler"]
        self.second_worker = subprocess.Popen(command, cwd=ROOT, env=self.environment, stderr=subprocess.DEVNULL)
        self.kinds = job_kinds(read_settings(self.environment, folder=self.folder))
        with self.database.transaction() as session:
            self.member = make_member(session)

    def stop(self) -> int:
        self.second_worker.send_signal(signal.SIGTERM)
        self.second_worker.wait(30)
        self.database.dispose()
        return super().stop()

    def start_runs(self, shop: Shop, names: list[str]) -> list[UUID]:
        """Ready runs, each of a job that asks for an address of its own."""
        with self.database.transaction() as session:
            now = DatabaseClock().now(session)
            jobs = [self._make_job(session, name, f"{shop.url}/{name}", now) for name in names]
            return [make_run(session, session.get_one(Job, job_id), now=now) for job_id in jobs]

    def make_job(self, shop: Shop, name: str) -> UUID:
        """A job that asks for an address of its own."""
        with self.database.transaction() as session:
            return self._make_job(session, name, f"{shop.url}/{name}", DatabaseClock().now(session))

    def _make_job(self, session: Session, name: str, url: str, now: datetime) -> UUID:
        draft = JobDraft(name, KindName.WORKFLOW, {"steps": [{"name": "Ask", "method": "GET", "url": url}]})
        return create_job(session, actor=self.member.actor, kinds=self.kinds, draft=draft, now=now)

    def count(self, state: RunState) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Run).where(in_state(state))) or 0

    def attempts(self) -> Counter[UUID]:
        with self.database.reading() as session:
            return Counter(session.scalars(select(Attempt.run_id)))

    def workers(self) -> set[str]:
        with self.database.reading() as session:
            return set(session.scalars(select(Attempt.worker)))

    def started_at(self, run_id: UUID) -> datetime | None:
        with self.database.reading() as session:
            return session.scalar(select(Run.started_at).where(Run.id == run_id))

    def sign_in(self) -> httpx.Client:
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=10)
        form = {"email": self.member.email, "password": PASSWORD}
        assert send_form(client, "/login", "/login", **form).status_code == 200
        return client


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    server = RedisServer(password="between-us").start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    server = Shop()
    yield server
    server.close()


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, installed_postgres: Callable[[], PostgresUrls], redis: RedisServer
) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("redis-faults"), installed_postgres(), redis)
    installation.start()
    yield installation
    installation.stop()


class TestRedisFaults:
    def test_flushes_and_a_restart_lose_nothing(self, place: Installation, shop: Shop, redis: RedisServer) -> None:
        names = [f"order-{number}" for number in range(RUNS)]
        place.start_runs(shop, names)
        next_flush, has_restarted = time.monotonic(), False

        def go_on() -> bool:
            nonlocal next_flush, has_restarted
            done = place.count(RunState.SUCCEEDED)
            assert place.count(RunState.FAILED) == 0
            if done > RUNS / 2 and not has_restarted:
                redis.stop()
                redis.start()
                has_restarted = True
            if time.monotonic() >= next_flush:
                with redis.client as client:
                    client.flushall()
                next_flush = time.monotonic() + FLUSH_SECONDS
            return done == RUNS

        wait_until(go_on, "every run has succeeded", seconds=180)

        assert {shop.calls[f"/{name}"] for name in names} == {1}
        assert set(place.attempts().values()) == {1}
        assert (has_restarted, len(place.workers())) == (True, 2)

    def test_a_queue_full_of_the_past_and_of_inventions_executes_nothing(
        self, place: Installation, shop: Shop, redis: RedisServer
    ) -> None:
        attempts, calls = place.attempts(), shop.calls.total()
        messages = [hint_at(run_id) for run_id in attempts] * (REPLAYED // len(attempts))
        messages += [hint_at(uuid4()) for _ in range(REPLAYED)]

        with redis.client as client:
            client.lpush(HINTS_KEY, *messages)
            wait_until(lambda: client.llen(HINTS_KEY) == 0, "the queue is drained", seconds=DRAINED_SECONDS)

        (run_id,) = place.start_runs(shop, ["after-the-flood"])
        wait_until(lambda: place.started_at(run_id) is not None, "a run starts", seconds=NORMAL_AGAIN_SECONDS)
        wait_until(lambda: place.count(RunState.SUCCEEDED) == RUNS + 1, "it succeeds")
        assert (place.attempts().total(), shop.calls.total()) == (attempts.total() + 1, calls + 1)

    def test_pages_and_runs_go_on_without_redis(self, place: Installation, shop: Shop, redis: RedisServer) -> None:
        browser = place.sign_in()
        jobs = [place.make_job(shop, f"without-redis-{number}") for number in range(3)]
        redis.stop()
        stopped = time.monotonic()
        answers = [send_form(browser, "/jobs", f"/jobs/{job_id}/run") for job_id in jobs]
        while time.monotonic() < stopped + MOST_SECONDS_WITHOUT_REDIS:
            answers += [browser.get(path) for path in ("/", "/queue", "/runs", "/readyz")]

        asked = {shop.calls[f"/without-redis-{number}"] for number in range(3)}
        redis.start()
        wait_until(lambda: not browser.get("/readyz").json()["degraded"], "ready again", seconds=NORMAL_AGAIN_SECONDS)
        browser.close()

        assert ({answer.status_code for answer in answers}, answers[-1].json()["degraded"]) == ({200}, True)
        assert max(answer.elapsed.total_seconds() for answer in answers) < 2
        assert asked == {1}

    def test_a_redis_that_hangs_holds_up_neither_pages_nor_runs(
        self, place: Installation, shop: Shop, redis: RedisServer
    ) -> None:
        browser = place.sign_in()
        redis.freeze()
        (run_id,) = place.start_runs(shop, ["while-it-hangs"])
        wait_until(lambda: place.started_at(run_id) is not None, "a run starts", seconds=MOST_SECONDS_WITHOUT_REDIS)
        status = browser.get("/").status_code

        redis.thaw()
        (later,) = place.start_runs(shop, ["after-it-hung"])
        wait_until(lambda: place.started_at(later) is not None, "a run starts", seconds=NORMAL_AGAIN_SECONDS)
        browser.close()

        assert status == 200
        assert (shop.calls["/while-it-hangs"], place.count(RunState.FAILED)) == (1, 0)


def hint_at(run_id: UUID) -> bytes:
    fields = {"id": "x", "name": "app.queue.tasks.execute_run", "kwargs": {"run_id": str(run_id)}}
    return json.dumps(fields).encode()


def send_form(browser: httpx.Client, page: str, action: str, **fields: str) -> httpx.Response:
    """Send a form of a page, and follow where it leads."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(page).text)
    assert token is not None
    referer = str(browser.base_url.join(page))
    return browser.post(action, data={"csrf_token": token.group(1), **fields}, headers={"Referer": referer})
