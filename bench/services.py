"""The services that an engine of the benchmarks needs: given by BELFRY_ settings, or started for the occasion."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from tests.services.folder import OwnServiceFolder
from tests.services.postgres import SERVER_SETTINGS, PostgresCluster
from tests.services.redis import RedisService

GIVEN = ("BELFRY_DATABASE_URL", "BELFRY_DATABASE_ADMIN_URL", "BELFRY_BROKER_URL")
# What the tests switch off to be quick is what a real server spends its time on.
AS_IN_EARNEST = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}


class Engine(StrEnum):
    """What the installation under measurement runs on."""

    EMBEDDED = "embedded"  # files alone
    SERVICES = "postgres+redis"  # the services an installation grows into


@contextmanager
def services_for(engine: Engine) -> Iterator[dict[str, str]]:
    """Settings that lead to the engine's services."""
    if engine is Engine.EMBEDDED:
        for name in GIVEN:
            os.environ.pop(name, None)
        yield {}
    elif any(name in os.environ for name in GIVEN):
        missing = [name for name in GIVEN if name not in os.environ]
        if missing:
            raise SystemExit(f"Some services are given. Give these too, or none: {', '.join(missing)}")
        yield {}
    else:
        with _own_services() as settings:
            yield settings


@contextmanager
def _own_services() -> Iterator[dict[str, str]]:
    folder = OwnServiceFolder()
    try:
        cluster = PostgresCluster(folder, settings=SERVER_SETTINGS | AS_IN_EARNEST)
        # The installation sets its database up by itself.
        with cluster.database(lambda _urls: None, is_empty=True) as urls:
            yield dict(zip(GIVEN, (urls.login, urls.admin, RedisService(folder).empty_database()), strict=True))
    finally:
        folder.close()
