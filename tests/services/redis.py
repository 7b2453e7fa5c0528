"""A Redis for one test run, with a numbered database for every test that asks. Nothing in it is kept."""

import os
import shutil
import socket
import time
from itertools import count
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests.services.folder import ServiceFolder
from tests.services.missing import ServiceMissing

START_SECONDS = 30
DATABASES_PER_WORKER = 1_000
MOST_WORKERS = 16


class RedisService:
    """Starts when it is first asked for a database."""

    def __init__(self, folder: ServiceFolder) -> None:
        self._folder = folder
        self._port_file = folder.path / "redis.port"
        # Workers are named gw0, gw1, …; each has numbers of its own.
        self._first = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % MOST_WORKERS * DATABASES_PER_WORKER
        self._numbers = count()

    def empty_database(self) -> str:
        """The URL of a database that nobody else uses."""
        self._folder.once("redis", self._start)
        url = self._url(self._first + next(self._numbers) % DATABASES_PER_WORKER)
        with Redis.from_url(url, protocol=2) as client:
            client.flushdb()
        return url

    def _url(self, number: int) -> str:
        return f"redis://127.0.0.1:{self._port_file.read_text()}/{number}"

    def _start(self) -> None:
        program = find_program()
        port = _free_port()
        self._port_file.write_text(str(port))
        command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._folder.keep("redis", [*command, "--databases", str(DATABASES_PER_WORKER * MOST_WORKERS)])
        self._wait()

    def _wait(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                with Redis.from_url(self._url(0), protocol=2) as client:
                    client.ping()
                return
            except RedisError:
                log = self._folder.path / "redis.log"
                said = log.read_text() if log.exists() else "nothing"
                assert time.monotonic() < give_up, f"Redis did not start. It said: {said}"
                time.sleep(0.02)


def find_program() -> Path:
    """Raises ServiceMissing."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise ServiceMissing("a Redis server", "redis-server")
    return Path(found)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
