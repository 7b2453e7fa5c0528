"""Installations for fault tests, on servers that nobody else uses."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import make_settings, postgres_settings, set_up
from tests.fakes.database import open_everything
from tests.fakes.vault import VAULT_KEY
from tests.faults.place import Place
from tests.faults.scale import REPORT, Report
from tests.faults.servers import PostgresServer
from tests.queue.redis_server import RedisServer
from tests.services.postgres import PostgresUrls

JOBS = "tests.faults.jobs"
SERVED, EMBEDDED = "PostgreSQL + Redis", "embedded"
MakePlace = Callable[..., Place]


@pytest.fixture(scope="session")
def report() -> Iterator[Report]:
    made = Report()
    yield made
    if REPORT:
        made.write(Path(REPORT))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One that tests may restart."""

    def install(urls: PostgresUrls) -> None:
        set_up(make_settings(tmp_path_factory.mktemp("setup"), **postgres_settings(urls)))

    with ExitStack() as stack:
        # Not below pytest's own folder, which the user that root's PostgreSQL runs as cannot enter.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="belfry-faults-", dir="/tmp")))
        server = PostgresServer(folder, install)
        stack.callback(server.close)
        yield server


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """One that a test may flush, stop and freeze."""
    server = RedisServer(password="between-us").start()
    yield server
    server.remove()


@pytest.fixture(params=[SERVED, EMBEDDED])
def parts(request: pytest.FixtureRequest) -> str:
    """What the installation consists of. Tests of one of the two say so with a fixture of this name."""
    name: str = request.param
    return name


@pytest.fixture
def make_place(tmp_path: Path, parts: str, report: Report, request: pytest.FixtureRequest) -> Iterator[MakePlace]:
    """Makes the installation of the test, with settings of its own."""
    with ExitStack() as stack:

        def make(**environment: str) -> Place:
            given = {
                "BELFRY_DATA_DIR": str(tmp_path),
                "BELFRY_SECRET_KEY": "k" * 48,
                "BELFRY_VAULT_KEYS": VAULT_KEY,
                "BELFRY_JOBS": JOBS,
                "BELFRY_LEASE_SECONDS": "4",
                "BELFRY_SWEEP_SECONDS": "1",
                "BELFRY_POLL_SECONDS": "1",
                "BELFRY_WORKERS": "4",
                **environment,
            }
            if parts == SERVED:
                server: PostgresServer = request.getfixturevalue("postgres_server")
                urls = stack.enter_context(server.database())
                redis: RedisServer = request.getfixturevalue("redis_server")
                given |= postgres_settings(urls) | {"BELFRY_BROKER_URL": redis.url}
            settings = make_settings(tmp_path, **given)
            if parts == EMBEDDED:
                set_up(settings)
            database = open_everything(settings.database_url, admin_url=settings.database_admin_url)
            place = Place(tmp_path, given, database)
            stack.callback(place.close)
            report.begin()
            return place

        yield make
