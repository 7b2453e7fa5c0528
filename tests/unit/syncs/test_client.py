"""The client of syncs over a real socket: its guard, its limits and its budget."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.core.http import OutboundClient, OutboundLimits, OutboundRefused, OutboundRequest
from app.syncs.calls.client import ServiceClient
from app.syncs.calls.troubles import SyncFailed, TroubleClass
from app.syncs.meta.accounts import read_account
from app.syncs.meta.dialect import meta_client
from app.syncs.meta.reader import MetaReader
from app.syncs.meta.rows import CAMPAIGNS
from tests.fakes.providers.meta.scenarios import EU, TOKEN
from tests.fakes.providers.server import FakeServer
from tests.fakes.watch import FakeWatch
from tests.unit.core.loopback import ScriptedServer, answer
from tests.unit.syncs.meta_world import NOVEMBER, said, truth


@pytest.fixture
def server(world):
    with FakeServer(world) as server:
        yield server


@pytest.fixture
def client(world, server) -> ServiceClient:
    return client_of(f"{server.url}/meta", FakeWatch(world))


def client_of(base_url: str, watch: FakeWatch) -> ServiceClient:
    sender = OutboundClient(own_urls=(base_url,))
    return meta_client(base_url=base_url, version="v26.0", token=TOKEN, sender=sender, watch=watch, chance=lambda: 0.5)


class TestOverASocket:
    def test_a_read_says_the_truth(self, client, world):
        reader = MetaReader(client, read_account(client, EU), CAMPAIGNS, "v26.0", page_rows=11)

        assert said(reader.read(NOVEMBER)) == truth(world)

    @pytest.mark.parametrize("fault", ["slow", "truncated"])
    def test_what_breaks_off_is_asked_for_again(self, client, world, fault):
        client.limits = OutboundLimits(total_seconds=1)
        world.fail("meta", fault)

        assert read_account(client, EU).id == EU
        assert client.spent.requests > 1


class TestGuard:
    def test_is_open_for_the_address_of_the_setting_alone(self, server):
        sender = OutboundClient(own_urls=(f"{server.url}/meta",))
        port = int(server.url.rpartition(":")[2])

        assert sender.send(OutboundRequest("GET", f"{server.url}/meta/v26.0/me")).status == 400
        for other in (f"http://127.0.0.1:{port + 1}/", f"http://127.0.0.2:{port}/", f"http://localhost:{port}/"):
            with pytest.raises(OutboundRefused):
                sender.send(OutboundRequest("GET", other))

    def test_stays_shut_before_what_hands_out_credentials(self):
        for url in ("http://169.254.169.254", "http://[fd00:ec2::254]", "http://0.0.0.0:8100"):
            with pytest.raises(OutboundRefused):
                OutboundClient(own_urls=(url,)).send(OutboundRequest("GET", f"{url}/"))

    def test_is_shut_for_every_other_client(self, server):
        with pytest.raises(OutboundRefused):
            OutboundClient().send(OutboundRequest("GET", server.url))

    def test_follows_no_redirect(self, world):
        with ScriptedServer(answer("302 Found", Location="http://127.0.0.1:1/elsewhere")) as server:
            client = client_of(f"http://127.0.0.1:{server.port}", FakeWatch(world))

            with pytest.raises(SyncFailed, match="BELFRY_META_BASE_URL") as failed:
                read_account(client, EU)

        assert (failed.value.trouble_class, len(server.requests)) == (TroubleClass.SETUP_ERROR, 1)


class TestLimits:
    def test_of_size_are_a_reason_to_ask_for_less(self, client, world):
        client.limits = OutboundLimits(max_response_bytes=100)

        with pytest.raises(SyncFailed) as failed:
            read_account(client, EU)

        assert failed.value.trouble_class is TroubleClass.TOO_LARGE

    def test_of_requests_send_the_run_back_for_later(self, client, world):
        client.most_requests = 3
        reader = MetaReader(client, read_account(client, EU), CAMPAIGNS, "v26.0", page_rows=5)

        with pytest.raises(SyncFailed) as failed:
            list(reader.read(NOVEMBER))

        assert (failed.value.until, len(world.asked)) == (world.now + timedelta(hours=1), 3)


class TestRetryAfter:
    @pytest.fixture
    def refused(self, world) -> Callable[..., SyncFailed]:
        def refused(status: str, **headers: str) -> SyncFailed:
            with ScriptedServer(answer(status, b"later", **headers)) as server:
                client = client_of(f"http://127.0.0.1:{server.port}", FakeWatch(world))
                with pytest.raises(SyncFailed) as failed:
                    read_account(client, EU)
                return failed.value

        return refused

    @pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
    def test_of_more_than_a_minute_is_told_to_the_caller(self, world, refused, status):
        assert refused(status, Retry_After="90").until == world.now + timedelta(seconds=90)

    def test_is_believed_up_to_six_hours(self, world, refused):
        assert refused("429 Too Many Requests", Retry_After="999999").until == world.now + timedelta(hours=6)

    def test_that_is_garbage_is_none(self, world, refused):
        assert refused("429 Too Many Requests", Retry_After="soon").until == world.now + timedelta(minutes=5)
