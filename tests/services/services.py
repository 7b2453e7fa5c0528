"""The servers of this test run, each started by the first test that needs it."""

from tests.services.folder import ServiceFolder
from tests.services.postgres import PostgresCluster
from tests.services.redis import RedisService


class Services:
    """Every test process has one of these; the servers behind it are the same."""

    def __init__(self, folder: ServiceFolder) -> None:
        self.postgres = PostgresCluster(folder)
        self.redis = RedisService(folder)
