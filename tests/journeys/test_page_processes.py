"""Processes that serve pages report, however the server forks them: the real one, with two of them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.core.clock import DatabaseClock
from app.core.config import Settings
from app.core.paths import ROOT
from app.core.scopes import PLATFORM
from app.ops.heartbeats import list_page_processes
from tests.conftest import postgres_settings
from tests.fakes.database import OpenDatabase
from tests.fakes.vault import VAULT_KEY
from tests.journeys.conftest import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.journey


@pytest.fixture
def environment(engine: str, settings: Settings, request: pytest.FixtureRequest) -> dict[str, str]:
    """What the server is told: the database of this test, and a port that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    more = postgres_settings(request.getfixturevalue("postgres")) if engine == "postgresql" else {}
    return os.environ | {
        "BELFRY_DATA_DIR": str(settings.data_dir),
        "BELFRY_LISTEN": f"127.0.0.1:{port}",
        "BELFRY_SECRET_KEY": "k" * 48,
        "BELFRY_VAULT_KEYS": VAULT_KEY,
        "BELFRY_WEB_PROCESSES": "2",
        **more,
    }


@pytest.fixture
def server(environment: dict[str, str], database: OpenDatabase) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "--config", str(ROOT / "deploy" / "gunicorn.conf.py")]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    yield process
    process.kill()
    process.wait(PATIENCE_SECONDS)


def pids(database: OpenDatabase) -> set[int]:
    with database.reading(PLATFORM) as session:
        return {row.pid for row in list_page_processes(session, now=DatabaseClock().now(session))}


def test_each_reports_the_one_after_a_crash_too_and_they_sign_off(
    server: subprocess.Popen[bytes], database: OpenDatabase
) -> None:
    wait_until(lambda: len(pids(database)) == 2, "two processes report")
    killed = min(pids(database))
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(pids(database)) == 3, "the one in its place reports, and the killed one is not forgotten")
    server.terminate()

    server.wait(PATIENCE_SECONDS)
    assert pids(database) == {killed}
    assert server.pid not in pids(database)
