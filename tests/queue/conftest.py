"""The queue's tests run on both brokers: a file and a Redis."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.core.config import Settings
from app.queue.broker import Carrier, make_huey
from tests.queue.redis_server import RedisServer


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """One for this test alone, to be stopped and frozen."""
    server = RedisServer(password="between-us").start()
    yield server
    server.remove()


@pytest.fixture(params=["file", "redis"])
def broker(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def settings(settings: Settings, broker: str, request: pytest.FixtureRequest) -> Settings:
    """Settings of an installation with the one broker or the other, which is empty."""
    if broker == "redis":
        return replace(settings, broker_url=request.getfixturevalue("redis_url"))
    return settings


@pytest.fixture
def carrier(settings: Settings) -> Carrier:
    return make_huey(settings)
