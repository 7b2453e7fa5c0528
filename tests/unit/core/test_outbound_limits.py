import gzip
import socket
import tracemalloc
from threading import Event

import pytest

from app.core.deadline import boot_seconds
from app.core.http import FailureKind, OutboundClient, OutboundFailed, OutboundLimits, OutboundRequest
from tests.unit.core.loopback import ScriptedServer, answer, fetch, read_request


class TestSizes:
    def test_a_body_that_just_fits_is_whole(self, client):
        with ScriptedServer(answer(body=b"x" * 1000)) as server:
            response = fetch(client, server, max_response_bytes=1000)

        assert (len(response.body), response.is_truncated) == (1000, False)

    def test_a_larger_body_is_cut_and_says_so(self, client):
        with ScriptedServer(answer(body=b"x" * 1001)) as server:
            response = fetch(client, server, max_response_bytes=1000)

        assert (len(response.body), response.is_truncated) == (1000, True)

    def test_an_endless_body_is_not_read_to_its_end(self, client):
        sent = []

        def pour(stream: socket.socket, _: Event) -> None:
            read_request(stream)
            stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                stream.sendall(b"x" * 65_536)
                sent.append(65_536)

        with ScriptedServer(pour) as server:
            response = fetch(client, server, max_response_bytes=1000)

        assert response.is_truncated
        # Socket buffers take a few megabytes before the server notices.
        assert sum(sent) < 50_000_000

    def test_a_packed_body_is_unpacked(self, client):
        with ScriptedServer(
            answer(body=gzip.compress(b"a", mtime=0) + gzip.compress(b"b"), Content_Encoding="gzip")
        ) as server:
            response = fetch(client, server)

        assert (response.body, response.is_truncated) == (b"ab", False)

    def test_a_bomb_is_unpacked_no_further_than_the_limit(self, client):
        bomb = answer(body=gzip.compress(b"\0" * 100_000_000), Content_Encoding="gzip")

        with ScriptedServer(bomb) as server:
            tracemalloc.start()
            response = fetch(client, server)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()

        assert (len(response.body), response.is_truncated) == (1_048_576, True)
        assert peak < 8_000_000

    def test_a_packed_body_that_unpacks_to_nothing_still_ends(self, client):
        nothing = gzip.compress(b"", mtime=0) * 1000

        with ScriptedServer(answer(body=nothing, Content_Encoding="gzip")) as server:
            response = fetch(client, server, max_response_bytes=10_000)

        assert (response.body, response.is_truncated) == (b"", True)

    @pytest.mark.parametrize(
        ("encoding", "body", "words"),
        [
            ("gzip", b"not packed", "damaged"),
            ("gzip", gzip.compress(b"half of this", mtime=0)[:-9], "incomplete"),
            ("br", b"x", "not asked for"),
        ],
    )
    def test_a_body_that_cannot_be_unpacked_is_a_failure(self, client, encoding, body, words):
        with (
            ScriptedServer(answer(body=body, Content_Encoding=encoding)) as server,
            pytest.raises(OutboundFailed, match=words) as raised,
        ):
            fetch(client, server)

        assert raised.value.kind is FailureKind.PROTOCOL


class TestTimes:
    def assert_ends_in_time(self, client: OutboundClient, script, **more) -> None:
        with ScriptedServer(script) as server:
            started = boot_seconds()
            with pytest.raises(OutboundFailed, match=r"did not finish its answer within 0\.3 seconds") as raised:
                fetch(client, server, total_seconds=0.3, **more)
            took = boot_seconds() - started

        assert raised.value.kind is FailureKind.TIMEOUT
        assert took < 1.5

    def test_a_silent_server_is_left(self, client):
        self.assert_ends_in_time(client, lambda _, over: over.wait(5))

    def test_a_server_that_drips_its_body_is_left(self, client):
        def drip(stream: socket.socket, over: Event) -> None:
            read_request(stream)
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not over.wait(0.02):
                stream.sendall(b"x")

        self.assert_ends_in_time(client, drip)

    def test_a_server_that_drips_its_headers_is_left(self, client):
        def drip(stream: socket.socket, over: Event) -> None:
            stream.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not over.wait(0.02):
                stream.sendall(b"x")

        self.assert_ends_in_time(client, drip)

    def test_a_server_that_is_slow_to_drink_is_left(self, client):
        def sip(stream: socket.socket, over: Event) -> None:
            # Fast enough that no single send waits for long, too slow to get through in time.
            while not over.wait(0.005):
                stream.recv(65_536)

        self.assert_ends_in_time(client, sip, method="POST", body=b"x" * 40_000_000)

    def test_redirects_share_the_time(self, client):
        def send_round(stream: socket.socket, over: Event) -> None:
            read_request(stream)
            over.wait(0.1)
            stream.sendall(answer("302 Found", Location="/again"))

        self.assert_ends_in_time(client, send_round, max_redirects=20)

    def test_a_hanging_name_server_is_left(self):
        over = Event()
        client = OutboundClient(resolver=lambda _: [over.wait(5)])
        started = boot_seconds()

        with pytest.raises(OutboundFailed, match=r"Looking up the name slow\.test took too long") as raised:
            client.send(OutboundRequest("GET", "http://slow.test/"), limits=OutboundLimits(total_seconds=0.2))
        over.set()

        assert raised.value.kind is FailureKind.RESOLVE
        assert boot_seconds() - started < 1.5
