"""A worker process as an operator starts it, on a database that a test takes away from it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.core.config import Settings, read_settings
from app.core.ids import new_id
from app.core.paths import ROOT
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.policies import Backoff, RetryPolicy
from app.jobs.service import JobDraft, create_job
from app.ops.heartbeats import ProcessRow, list_processes
from app.ops.kinds import job_kinds
from app.runs.models import Attempt, Run
from tests.factories.tenants import make_member
from tests.factories.work import make_run
from tests.fakes.database import OpenDatabase, open_everything
from tests.fakes.vault import VAULT_KEY

PATIENCE_SECONDS = 40.0
LEASE_SECONDS = 6
RETRY = RetryPolicy(3, 0, Backoff.FIXED)

Answer = TypeVar("Answer")


class Site:
    """An installation in a folder: its settings, its database, and the jobs that a test gives it to do."""

    def __init__(self, folder: Path, *, owner_url: str | None = None, **settings: str) -> None:
        self.environment = os.environ | {
            "BELFRY_DATA_DIR": str(folder),
            "BELFRY_VAULT_KEYS": VAULT_KEY,
            "BELFRY_SECRET_KEY": "k" * 48,
            "BELFRY_JOBS": "tests.fakes.code_functions",
            "BELFRY_LEASE_SECONDS": str(LEASE_SECONDS),
            "BELFRY_SWEEP_SECONDS": "1",
            "BELFRY_STOP_SECONDS": "8",
            "BELFRY_WORKERS": "3",
            **settings,
        }
        self.settings: Settings = read_settings(self.environment, folder=folder)
        self.database: OpenDatabase = open_everything(self.settings.database_url, admin_url=owner_url)
        self._made = 0

    def start_runs(self, number: int, *, function: str = "nap", **arguments: Any) -> list[UUID]:
        """Ready runs of a function of the tests, which naps unless told otherwise."""
        self._made += 1
        # The test's own connections do not look whether they are still good.
        self.database.dispose()
        given = {"function": function, "arguments": arguments}
        with self.database.transaction() as session:
            now = DatabaseClock().now(session)
            member = make_member(session, email=f"{new_id()}@example.com")
            draft = JobDraft(f"Job {self._made}", KindName.CODE, given, retry=RETRY)
            kinds = job_kinds(self.settings)
            job_id = create_job(session, actor=member.actor, kinds=kinds, draft=draft, now=now)
            job = session.get_one(Job, job_id)
            return [make_run(session, job, now=now) for _ in range(number)]

    def states(self) -> dict[str, int]:
        query = select(Run.state, func.count()).group_by(Run.state)
        return self._look(lambda session: {row[0]: row[1] for row in session.execute(query)})

    def state_of(self, run_id: UUID) -> str:
        return self._look(lambda session: session.scalars(select(Run.state).where(Run.id == run_id)).one())

    def tries_of(self, run_id: UUID) -> int:
        return self._look(lambda session: session.scalars(select(Run.attempt).where(Run.id == run_id)).one())

    def attempts(self) -> list[str]:
        return self._look(lambda session: list(session.scalars(select(Attempt.state))))

    def processes(self) -> list[ProcessRow]:
        return self._look(lambda session: list_processes(session, now=DatabaseClock().now(session)))

    def _look(self, read: Callable[[Session], Answer]) -> Answer:
        """Read, and again while the database is what the test made of it."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self.database.reading() as session:
                    return read(session)
            except OperationalError:
                assert time.monotonic() < give_up
                time.sleep(0.2)

    def belfry(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, as an operator gives it."""
        command = [sys.executable, "-m", "app.cli", *words]
        return subprocess.run(command, cwd=ROOT, env=self.environment, check=False, capture_output=True, text=True)


class WorkerProcess:
    """`belfry worker`, and what it says."""

    def __init__(self, environment: Mapping[str, str], *words: str) -> None:
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "worker", *words],
            cwd=ROOT,
            env=dict(environment),
            stderr=subprocess.PIPE,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        wait_until(lambda: "worker started" in self.text, lambda: f"the worker starts: {self.text}")

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def lines(self, words: str) -> int:
        """How many lines of the log say so."""
        return len(re.findall(re.escape(words), self.text))

    def stop(self, number: signal.Signals = signal.SIGTERM, *, patience: float = PATIENCE_SECONDS) -> int:
        """Ask it to end. Returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(patience)

    def end(self) -> None:
        """However it stands, it is gone afterwards."""
        if self.is_alive:
            self.process.kill()
            self.process.wait()
        self._listener.join()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            self.said.extend(iter(stream.readline, ""))


def wait_until(holds: Callable[[], bool], what: Callable[[], str] | str, seconds: float = PATIENCE_SECONDS) -> float:
    """Wait for a condition, and say what did not come. Returns how long it took."""
    began = time.monotonic()
    while not holds():
        waited = time.monotonic() - began
        assert waited < seconds, f"waited {waited:.0f} s in vain: {what if isinstance(what, str) else what()}"
        time.sleep(0.1)
    return time.monotonic() - began
