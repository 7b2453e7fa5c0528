"""An installation for the occasion, with a worker of its own and a server it may call."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_urlsafe

from sqlalchemy import update

from app.cli.database import migrate
from app.core.clock import DatabaseClock
from app.core.config import Settings, read_settings
from app.core.key_rings import new_key
from app.runs.queue_models import Queue
from app.tenants.access import Actor
from app.tenants.models import Organization
from app.tenants.roles import Role
from bench.services import Engine, services_for
from tests.fakes.database import OpenDatabase, open_everything

STOP_SECONDS = 30


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Installation:
    """A migrated database with one organization, and where its jobs may send requests."""

    settings: Settings
    database: OpenDatabase
    actor: Actor
    url: str


@contextmanager
def installation(engine: Engine = Engine.EMBEDDED, **environ: str) -> Iterator[Installation]:
    """Set up, and leave nothing behind."""
    with services_for(engine) as services, _installation(services | environ) as place:
        yield place


@contextmanager
def _installation(environ: dict[str, str]) -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="belfry-bench-"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    own = {"BELFRY_DATA_DIR": str(folder), "BELFRY_SECRET_KEY": token_urlsafe(48), "BELFRY_VAULT_KEYS": new_key()}
    before = dict(os.environ)
    # Nothing runs but what is measured.
    os.environ.update({**own, "BELFRY_CANARY": "off", "BELFRY_ALLOWED_PRIVATE_ADDRESSES": "127.0.0.1", **environ})
    settings = read_settings()
    migrate(settings)
    database = open_everything(settings.database_url, admin_url=settings.database_admin_url)
    _lift_limits(database)
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        yield Installation(settings, database, _make_actor(database), url)
    finally:
        database.dispose()
        server.shutdown()
        shutil.rmtree(folder)
        # The next installation is another one.
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def worker(*program: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker with its scheduler, on the installation of the environment: the command's, or another program's."""
    process = subprocess.Popen([sys.executable, "-m", *(program or ("app.cli", "worker"))])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _lift_limits(database: OpenDatabase) -> None:
    """Measured is how fast work is done, and not how gently it is let through."""
    with database.transaction() as session:
        session.execute(update(Queue).values(concurrency=None, rate_starts=None, rate_seconds=None))


def _make_actor(database: OpenDatabase) -> Actor:
    with database.transaction() as session:
        now = DatabaseClock().now(session)
        organization = Organization(name="Bench", timezone="UTC", created_at=now)
        session.add(organization)
        session.flush()
        return Actor(organization.id, Role.OWNER, "bench")
