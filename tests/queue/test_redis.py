"""Redis as the broker: reached in every way, and away in every way."""

import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from app.core.config import Settings
from app.queue.broker import Carrier, make_huey
from app.queue.called import Called
from app.queue.hints import Hints
from app.queue.link import BrokerAway, Link
from app.queue.storages import READ_SECONDS, REDIS_POLL_SECONDS, SEND_SECONDS
from app.queue.tasks import make_hints, make_tasks
from tests.conftest import make_settings
from tests.queue.redis_server import RedisServer, free_port


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Settings:
    return make_settings(tmp_path_factory.mktemp("redis"), BELFRY_BROKER_URL=redis_server.url)


@pytest.fixture
def tls_server() -> Iterator[RedisServer]:
    server = RedisServer(password="between-us", with_tls=True).start()
    yield server
    server.remove()


@pytest.fixture
def hints(carrier: Carrier) -> Hints:
    return make_hints(carrier)


def eager(carrier: Carrier) -> Carrier:
    """A carrier that asks again at once, so that a test need not wait."""
    carrier.link = Link(ticks=lambda: time.monotonic() * 1000)
    return carrier


def send_and_take(carrier: Carrier, hints: Hints) -> tuple[UUID, UUID]:
    run_id = uuid4()
    hints.send([Called(run_id, "code")])
    return run_id, UUID(carrier.dequeue().kwargs["run_id"])


class TestAddresses:
    def test_with_a_password_is_reached(self, carrier: Carrier, hints: Hints) -> None:
        sent, taken = send_and_take(carrier, hints)

        assert sent == taken

    def test_of_a_socket_is_reached(self, settings: Settings, redis_server: RedisServer) -> None:
        url = f"unix://:{redis_server.password}@{redis_server.socket}?db=0"
        carrier = make_huey(replace(settings, broker_url=url))

        sent, taken = send_and_take(carrier, make_hints(carrier))

        assert sent == taken

    def test_with_tls_is_reached_by_who_trusts_its_certificate(
        self, settings: Settings, tls_server: RedisServer
    ) -> None:
        stranger = make_huey(replace(settings, broker_url=tls_server.tls_url))
        friend = make_huey(replace(settings, broker_url=f"{tls_server.tls_url}?ssl_ca_certs={tls_server.certificate}"))

        sent, taken = send_and_take(friend, make_hints(friend))

        assert sent == taken
        assert make_hints(stranger).problem() is not None

    @pytest.mark.parametrize("scheme", ["redis", "rediss"])
    def test_that_does_not_fit_is_a_broker_that_is_away(
        self, settings: Settings, redis_server: RedisServer, scheme: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        url = f"{scheme}://:not-the-password@127.0.0.1:{redis_server.port}/0"

        problem = make_hints(make_huey(replace(settings, broker_url=url))).problem()

        assert problem is not None
        assert "not-the-password" not in problem + caplog.text + repr(settings)

    def test_with_nobody_there_hinders_no_start(self, settings: Settings) -> None:
        carrier = make_huey(replace(settings, broker_url=f"redis://127.0.0.1:{free_port()}"))

        assert carrier.dequeue() is None
        assert carrier.link.is_away


class TestRedisThatStopped:
    def test_is_away_at_once_and_back_without_a_restart(
        self, redis_server: RedisServer, carrier: Carrier, hints: Hints
    ) -> None:
        eager(carrier)
        send_and_take(carrier, hints)
        redis_server.stop()
        with pytest.raises(BrokerAway):
            hints.send([Called(uuid4(), "code")])

        redis_server.start()

        sent, taken = send_and_take(carrier, hints)
        assert sent == taken

    def test_and_started_again_unnoticed_costs_no_failure(
        self, redis_server: RedisServer, carrier: Carrier, hints: Hints
    ) -> None:
        send_and_take(carrier, hints)
        redis_server.stop()
        redis_server.start()

        sent, taken = send_and_take(carrier, hints)

        assert (sent, carrier.link.is_away) == (taken, False)

    def test_is_not_bothered_with_the_tick_of_the_minute(self, redis_server: RedisServer, carrier: Carrier) -> None:
        make_tasks(carrier, execute=lambda run_id: None, tick=lambda: None)
        before = len(carrier.read_periodic(None))
        redis_server.stop()
        carrier.dequeue()

        assert (before, carrier.read_periodic(None)) == (1, [])


class TestRedisThatHangs:
    def test_costs_a_page_a_second_and_the_next_one_nothing(
        self, redis_server: RedisServer, carrier: Carrier, hints: Hints
    ) -> None:
        send_and_take(carrier, hints)
        redis_server.freeze()

        first, second = seconds_to_fail(hints), seconds_to_fail(hints)

        assert first < SEND_SECONDS + 0.5
        assert second < 0.1

    def test_is_noticed_by_readers_and_followed_again_afterwards(
        self, redis_server: RedisServer, carrier: Carrier, hints: Hints
    ) -> None:
        eager(carrier)
        redis_server.freeze()
        nothing = carrier.dequeue()
        was_away = carrier.link.is_away

        redis_server.thaw()
        carrier.dequeue()
        sent, taken = send_and_take(carrier, hints)

        assert (nothing, was_away, sent) == (None, True, taken)

    def test_is_told_from_an_empty_queue(self, carrier: Carrier) -> None:
        carrier.dequeue()

        assert READ_SECONDS > REDIS_POLL_SECONDS
        assert not carrier.link.is_away


def seconds_to_fail(hints: Hints) -> float:
    began = time.monotonic()
    with pytest.raises(BrokerAway):
        hints.send([Called(uuid4(), "code")])
    return time.monotonic() - began


def test_a_redis_that_is_full_is_said_to_refuse_until_it_takes_hints_again(
    carrier: Carrier, hints: Hints, redis_server: RedisServer
) -> None:
    eager(carrier)
    with redis_server.client as client:
        client.config_set("maxmemory", "1")
    with pytest.raises(BrokerAway, match=r"The broker refuses hints: .*maxmemory"):
        hints.send([Called(uuid4(), "code")])
    carrier.dequeue()
    refusing = hints.problem()

    with redis_server.client as client:
        client.config_set("maxmemory", "0")
    sent, taken = send_and_take(carrier, hints)

    assert "Mend that" in (refusing or "")
    assert (sent, hints.problem()) == (taken, None)
