"""What signs in to a service is found nowhere: no log, row, event, page, export, broker or process list shows it.

A real worker syncs from the fake of Meta, well and badly, while somebody watches every process; then all is searched.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select

from app.core.config import read_settings
from app.core.db import Base
from app.core.paths import ROOT
from app.factory import create_app
from app.jobs.models import Job
from app.jobs.sync_jobs import jobs_of_connection
from app.ops.kinds import job_kinds
from app.runs.models import Run
from app.runs.states import TERMINAL
from app.syncs.meta.dialect import proof_of
from tests.conftest import postgres_settings
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.scenarios import APP_ID, APP_SECRET, EU, JP, SCOPELESS_TOKEN, TOKEN
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.world import World
from tests.fakes.vault import VAULT_KEY
from tests.faults.degraded_worker import WorkerProcess, wait_until
from tests.walks.test_every_route import SAFE, WORDS, walked_rules
from tests.web.conftest import Browser

# Nothing else is as long as these and begins like them.
LOGINS = (TOKEN, SCOPELESS_TOKEN)
CANARIES = tuple(
    shape
    for login in (*LOGINS, APP_SECRET, proof_of(TOKEN, APP_SECRET))
    for shape in {login[:24], quote(login, safe="")[:24], json.dumps(login)[1:25]}
)
# Each ends a run in its own way. What is in the text is what a careless service would echo.
ECHO: dict[str, Any] = {"fault": "echo", "text": f"Malformed access token {TOKEN}"}
FAULTS: tuple[dict[str, Any], ...] = (ECHO, {"fault": "no_permission"})


def found_in(text: str | bytes) -> list[str]:
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return [canary for canary in CANARIES if canary.encode() in data]


class ProcessList:
    """What everybody on the machine may see of a process and of those that it starts, for as long as it is watched."""

    def __init__(self, pid: int) -> None:
        self.seen: dict[str, bytes] = {}
        self._pid = pid
        self._over = Flag()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> "ProcessList":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            for pid in self._family():
                for name in ("cmdline", "environ", "comm"):
                    # The first process is told the secret of the installation's own app, by its environment.
                    if name != "environ" or pid != self._pid:
                        self._read(f"/proc/{pid}/{name}")

    def _read(self, path: str) -> None:
        try:
            self.seen[path] = Path(path).read_bytes()
        except OSError:
            # It has ended meanwhile.
            return

    def _family(self) -> list[int]:
        parents: dict[int, int] = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(name)] = int(words[1])
        family = [self._pid]
        for pid in family:
            family += [child for child, parent in parents.items() if parent == pid]
        return family


@pytest.fixture
def clock() -> ManualClock:
    """The time of the worker, which asks the database."""
    return ManualClock(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}")


@pytest.fixture
def world() -> World:
    return World(MetaFake())


@pytest.fixture
def server(world: World) -> Iterator[FakeServer]:
    with FakeServer(world) as server:
        yield server


@pytest.fixture
def environment(engine: str, tmp_path: Path, server: FakeServer, request: pytest.FixtureRequest) -> dict[str, str]:
    """On SQLite with the broker in a file, on PostgreSQL with Redis."""
    more = {}
    if engine == "postgresql":
        more = postgres_settings(request.getfixturevalue("postgres"))
        more |= {"BELFRY_BROKER_URL": request.getfixturevalue("redis_url")}
    return {
        "BELFRY_DATA_DIR": str(tmp_path), "BELFRY_SECRET_KEY": "k" * 48, "BELFRY_VAULT_KEYS": VAULT_KEY,
        "BELFRY_JOBS": "tests.fakes.code_functions", "BELFRY_META_BASE_URL": f"{server.url}/meta",
        "BELFRY_SWEEP_SECONDS": "1", "BELFRY_META_APP_ID": APP_ID, "BELFRY_META_APP_SECRET": APP_SECRET, **more,
    }  # fmt: skip


@pytest.fixture
def app(environment: dict[str, str], database: OpenDatabase, clock: ManualClock, tmp_path: Path) -> Flask:
    settings = read_settings(environment, folder=tmp_path)
    app = create_app(settings, database=database, kinds=job_kinds(settings), clock=clock)
    app.test_client_class = Browser
    return app


@pytest.fixture
def worker(environment: dict[str, str], database: OpenDatabase) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(os.environ | environment)
    yield worker
    worker.end()


def ask(browser: Browser, path: str, body: dict[str, Any]) -> Any:
    headers = {"X-CSRF-Token": browser.csrf_token, "Sec-Fetch-Site": "same-origin"}
    return browser.post(f"/api/v1{path}", json=body, headers=headers)


def connect(browser: Browser, account_id: str) -> UUID:
    made = ask(browser, "/connections", {"service": "meta", "account_id": f"act_{account_id}", "token": TOKEN})
    assert found_in(made.text) == []
    return UUID(made.get_json()["data"]["id"])


def job_of(database: OpenDatabase, browser: Browser, connection_id: UUID) -> UUID:
    with database.reading() as session:
        return jobs_of_connection(session, organization_id=browser.organization_id, connection_id=connection_id)[0]


def run_once(database: OpenDatabase, job_id: UUID) -> str:
    """Let the worker do one attempt of a job, and say how the run stands then."""
    with database.transaction() as session:
        run_id = make_run(session, session.get_one(Job, job_id), now=datetime.now(UTC))

    def state() -> str:
        with database.reading() as session:
            run = session.get_one(Run, run_id)
            return run.state if run.finished_at is not None or run.state == "waiting_retry" else ""

    wait_until(lambda: bool(state()), "the run comes to something")
    return state()


def everything_on_pages(app: Flask, browser: Browser, ids: dict[str, UUID], *, of: str = "") -> dict[str, str]:
    """Each page, export and answer of the API that can be asked for with these ids, or those of them that need one."""
    found = {}
    for rule, method, _access in walked_rules(app):
        if method in SAFE and rule.arguments <= ids.keys() | WORDS.keys() and (not of or of in rule.arguments):
            address = rule.build({name: ids.get(name, WORDS.get(name)) for name in rule.arguments})
            assert address is not None
            found[rule.rule] = browser.visit(str(address[1])).text
    return found


def on_the_terminal(environment: dict[str, str], *words: str) -> str:
    command = [sys.executable, "-m", "app.cli", *words]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True, text=True)
    return done.stdout + done.stderr


def in_redis(url: str) -> bytes:
    """Everything that lies there, as the server would write it down."""
    redis: Any = Redis.from_url(url)
    reads = {"list": lambda key: redis.lrange(key, 0, -1), "zset": lambda key: redis.zrange(key, 0, -1)}
    reads |= {"string": redis.get, "hash": redis.hgetall, "set": redis.smembers}
    return repr([(key, reads[redis.type(key).decode()](key)) for key in redis.scan_iter()]).encode()


def test_what_signs_in_is_found_nowhere(
    app: Flask, owner: Browser, world: World, worker: WorkerProcess, environment: dict[str, str],
    database: OpenDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("DEBUG")
    new = {"service": "meta", "account_id": f"act_{EU}"}
    refused = ask(owner, "/connections", new | {"token": SCOPELESS_TOKEN})
    connection_id, limited_id = connect(owner, EU), connect(owner, JP)
    job_id, limited_job_id = (job_of(database, owner, each) for each in (connection_id, limited_id))
    world.fail("meta", **ECHO)
    tested = ask(owner, f"/connections/{connection_id}/tests", {})
    with database.transaction() as session:
        function = make_job(session, owner.organization_id, name="Nap")
        function.definition = {"function": "nap", "arguments": {}}
        function_id = function.id

    with ProcessList(worker.process.pid) as processes:
        states = [run_once(database, function_id), run_once(database, job_id)]
        for fault in FAULTS:
            world.fail("meta", match={"route": "insights"}, **fault)
            states.append(run_once(database, job_id))
        states.append(run_once(database, job_id))
        world.fail("meta", "rate_limit_hint", regain=30, match={"route": "insights"})
        states.append(run_once(database, limited_job_id))
    worker.stop()

    with database.reading() as session:
        run_ids = list(session.scalars(select(Run.id).where(Run.job_id.in_([job_id, limited_job_id]))))
        rows = [str(tuple(row)) for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
    texts: dict[str, str | bytes] = {
        "answers": refused.text + tested.text, "log of the worker": worker.text, "log": caplog.text,
        "rows": "\n".join(rows), **processes.seen,
        **{str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()},
    }  # fmt: skip
    texts |= everything_on_pages(app, owner, {"connection_id": connection_id, "job_id": job_id})
    for run_id in run_ids:
        found = everything_on_pages(app, owner, {"run_id": run_id}, of="run_id")
        texts |= {f"{rule} of {run_id}": text for rule, text in found.items()}
    texts["diagnostics"] = on_the_terminal(environment, "system", "diagnostics")
    if "BELFRY_BROKER_URL" in environment:
        texts["redis"] = in_redis(environment["BELFRY_BROKER_URL"])
    assert {name: leaks for name, text in texts.items() if (leaks := found_in(text))} == {}
    assert states[0] in {state.value for state in TERMINAL}
    assert states[1:] == ["succeeded", "failed", "failed", "failed", "waiting_retry"]
    assert any(path.endswith("environ") for path in processes.seen)
    assert len(texts) > 100
    # Whoever looks finds what there is.
    assert len(found_in(f"Bearer {TOKEN}")) == len(found_in(TOKEN.encode())) == 1
