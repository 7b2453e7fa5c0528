"""The fakes over a socket: the control plane, and what only happens on a wire."""

import json
import threading

import pytest

from app.core.addresses import parse_networks
from app.core.http import FailureKind, OutboundClient, OutboundFailed, OutboundLimits, OutboundRequest
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.scenarios import EU, TOKEN
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.world import World

ACCOUNT = f"/meta/v26.0/act_{EU}?fields=name,currency,timezone_name,account_status,amount_spent,balance"


@pytest.fixture
def server():
    with FakeServer(World(MetaFake())) as server:
        yield server


@pytest.fixture
def send(server):
    client = OutboundClient(allowed_private=parse_networks("127.0.0.1"))

    def send(path: str = ACCOUNT, *, method: str = "GET", body: object = None, seconds: float = 30):
        headers = (("Authorization", f"Bearer {TOKEN}"),)
        content = None if body is None else json.dumps(body).encode()
        request = OutboundRequest(method, server.url + path, headers, content)
        return client.send(request, limits=OutboundLimits(total_seconds=seconds))

    return send


def control(send, path: str, body: object = None):
    answer = send(f"/__ctl{path}", method="GET" if body is None else "POST", body=body)
    assert answer.status == 200, answer.text
    return json.loads(answer.body)


class TestServer:
    def test_answers_packed_when_asked_to(self, send):
        answer = send(
            f"/meta/v26.0/act_{EU}/insights?time_increment=1&time_range=%7B%22since%22%3A%222026-11-01%22%2C%22until%22%3A%222026-11-19%22%7D"
        )

        assert (answer.status, dict(answer.headers)["Content-Encoding"]) == (200, "gzip")
        assert json.loads(answer.body)["data"]

    def test_resets_the_connection_in_the_middle(self, send, server):
        server.world.fail("meta", "truncated")

        with pytest.raises(OutboundFailed) as failed:
            send()

        assert failed.value.kind is FailureKind.PROTOCOL

    def test_cuts_a_body_that_looks_whole(self, send, server):
        server.world.fail("meta", "truncated", variant="garbage")

        with pytest.raises(json.JSONDecodeError):
            json.loads(send().body)

    @pytest.mark.parametrize("variant", ["late", "drip"])
    def test_keeps_a_caller_waiting(self, send, server, variant):
        server.world.fail("meta", "slow", variant=variant)

        with pytest.raises(OutboundFailed) as failed:
            send(seconds=0.3)

        assert failed.value.kind is FailureKind.TIMEOUT

    def test_ends_without_leaving_threads(self):
        before = set(threading.enumerate())

        with FakeServer(World(MetaFake())):
            pass

        assert set(threading.enumerate()) <= before

    def test_says_so_when_it_is_broken_itself(self, send, server):
        server.world.fail("meta", "revoked", variant="no such subcode")

        assert send().status == 599


class TestControlPlane:
    def test_sets_faults_and_tells_what_was_asked(self, send):
        control(send, "/faults", [{"provider": "meta", "fault": "expired_token", "match": {"route": "account"}}])

        assert [send().status, send().status] == [400, 200]
        asked = control(send, "/requests")
        assert [(each["route"], each["auth"], each["status"]) for each in asked] == [
            ("account", "bearer", 400), ("account", "bearer", 200),
        ]  # fmt: skip

    def test_moves_the_clock(self, send):
        control(send, "/clock", {"now": "2027-06-01T00:00:00+00:00"})

        assert json.loads(send().body)["error"]["error_subcode"] == 463

    def test_changes_the_truth_and_tells_it(self, send):
        where = f"/oracle?provider=meta&account={EU}&level=campaign&since=2026-11-15&until=2026-11-15"
        before = control(send, where)

        control(
            send,
            "/mutate",
            {"provider": "meta", "account": EU, "campaign": f"{EU}01", "day": "2026-11-15", "removed": True},
        )

        after = control(send, where)
        assert [figure for figure in before if figure not in after] == before[:7]

    def test_begins_anew(self, send):
        control(send, "/faults", [{"provider": "meta", "fault": "5xx", "times": None}])

        control(send, "/reset", {"scenario": "S1"})

        assert send().status == 200
