import socket
import ssl
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from app.core.addresses import parse_networks
from app.core.http import (
    FailureKind,
    OutboundClient,
    OutboundFailed,
    OutboundLimits,
    OutboundRequest,
    OutboundResponse,
)
from tests.unit.core.loopback import ScriptedServer, answer, fetch, zone

CERTIFICATE = Path(__file__).with_name("secure_test.pem")


class TestAnswers:
    def test_carry_status_headers_body_and_where_they_came_from(self, client):
        with ScriptedServer(answer("404 Not Found", b"gone", X_Kind="hook")) as server:
            response = fetch(client, server, "/a?b=c")

        assert (response.status, response.body, response.is_truncated) == (404, b"gone", False)
        assert ("X-Kind", "hook") in response.headers
        assert response.url == f"http://127.0.0.1:{server.port}/a?b=c"

    def test_come_to_a_request_sent_as_it_was_given(self, client):
        with ScriptedServer(answer()) as server:
            fetch(client, server, "/h", method="post", headers=(("X-Key", "k"),), body=b"hello")

        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[:2] == [b"POST /h HTTP/1.1", f"Host: 127.0.0.1:{server.port}".encode()]
        assert {b"X-Key: k", b"Content-Length: 5", b"User-Agent: Belfry"} <= set(lines)
        assert body == b"hello"

    def test_come_to_a_request_without_a_body(self, client):
        with ScriptedServer(answer()) as server:
            fetch(client, server)

        assert b"content-length" not in server.requests[0].lower()

    def test_come_to_a_name_from_the_address_that_was_checked(self):
        client = OutboundClient(
            allowed_private=parse_networks("127.0.0.1"), resolver=zone(**{"loop4.test": ["127.0.0.1"]})
        )

        with ScriptedServer(answer(body=b"hi")) as server:
            response = client.send(OutboundRequest("GET", f"http://LOOP4.test:{server.port}/"))

        assert response.text == "hi"
        assert f"Host: loop4.test:{server.port}".encode() in server.requests[0]

    def test_come_from_the_second_address_when_the_first_is_down(self):
        names = {"two.test": ["127.0.0.3", "127.0.0.1"]}
        client = OutboundClient(allowed_private=parse_networks("127.0.0.0/8"), resolver=zone(**names))

        with ScriptedServer(answer(body=b"hi")) as server:
            response = client.send(OutboundRequest("GET", f"http://two.test:{server.port}/"))

        assert response.body == b"hi"

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("text/plain", "é".encode()),
            ("text/plain; charset=ISO-8859-1", b"\xe9"),
            ('text/plain; charset="windows-1252"', b"\xe9"),
            ("text/plain; charset=no-such-thing", "é".encode()),
            ("text/plain; charset=punycode", "é".encode()),
            ("text/plain; charset=utf-16", b"\xff\xfe\xe9\x00"),
        ],
    )
    def test_become_text_in_their_charset_or_utf_8(self, content_type, body):
        response = OutboundResponse(200, (("Content-Type", content_type),), body, False, 0.1, "http://a.test/")

        assert response.text == "é"

    def test_become_text_even_when_damaged(self):
        response = OutboundResponse(200, (), b"a\xff", False, 0.1, "http://a.test/")

        assert response.text == "a�"

    def test_may_be_asked_for_by_many_threads_at_once(self, client):
        statuses: list[int] = []
        with ScriptedServer(answer()) as server:
            threads = [Thread(target=lambda: statuses.append(fetch(client, server).status)) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert statuses == [200] * 20


class TestFailures:
    def test_name_a_machine_that_refuses(self, client):
        with ScriptedServer(b"") as server:
            pass

        with pytest.raises(OutboundFailed, match=f"Nothing answers at 127.0.0.1 port {server.port}: ") as raised:
            fetch(client, server)

        assert raised.value.kind is FailureKind.CONNECT
        assert raised.value.message.endswith("connection refused.")

    @pytest.mark.parametrize("found", [[], None])
    def test_name_a_host_without_an_address(self, found):
        def resolve(_: str) -> list:
            if found is None:
                raise socket.gaierror(-2, "Name or service not known")
            return found

        with pytest.raises(OutboundFailed, match=r"The name nowhere\.test has no address") as raised:
            OutboundClient(resolver=resolve).send(OutboundRequest("GET", "http://nowhere.test/"))

        assert raised.value.kind is FailureKind.RESOLVE

    @pytest.mark.parametrize(
        "script", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"]
    )
    def test_name_a_server_that_does_not_speak_http_to_the_end(self, client, script):
        with (
            ScriptedServer(script) as server,
            pytest.raises(OutboundFailed, match="broke off, or what it answered is not HTTP") as raised,
        ):
            fetch(client, server, "/?token=canary")

        assert raised.value.kind is FailureKind.PROTOCOL
        assert "canary" not in raised.value.message


class TestRedirects:
    def test_are_answers_unless_asked_to_follow(self, client):
        with ScriptedServer(answer("302 Found", Location="/b")) as server:
            response = fetch(client, server)

        assert (response.status, len(server.requests)) == (302, 1)

    def test_are_followed_to_a_relative_address(self, client):
        with ScriptedServer(answer(body=b"here")) as server, ScriptedServer(b"") as first:
            first.script = answer("307 Temporary Redirect", Location=f"//127.0.0.1:{server.port}/b?c")
            response = fetch(client, first, max_redirects=1)

        assert (response.body, response.url) == (b"here", f"http://127.0.0.1:{server.port}/b?c")

    def test_end_after_the_limit(self, client):
        with (
            ScriptedServer(answer("302 Found", Location="/again")) as server,
            pytest.raises(OutboundFailed, match="redirected more than 2 times") as raised,
        ):
            fetch(client, server, max_redirects=2)

        assert (raised.value.kind, len(server.requests)) == (FailureKind.REDIRECT, 3)

    def test_to_another_origin_lose_every_header_that_could_be_a_secret(self, client):
        secrets = (("Authorization", "Bearer canary"), ("Cookie", "canary"), ("X-Api-Key", "canary"))

        with ScriptedServer(answer()) as other, ScriptedServer(b"") as first:
            first.script = answer("307 Temporary Redirect", Location=f"http://127.0.0.1:{other.port}/")
            fetch(client, first, headers=(*secrets, ("Accept", "text/x")), max_redirects=1)

        assert first.requests[0].count(b"canary") == 3
        assert b"canary" not in other.requests[0]
        assert b"Accept: text/x" in other.requests[0]

    def test_within_an_origin_keep_the_headers(self, client):
        with ScriptedServer(answer("302 Found", Location="/b")) as server, suppress(OutboundFailed):
            fetch(client, server, headers=(("Authorization", "Bearer key"),), max_redirects=1)

        assert [b"Bearer key" in request for request in server.requests] == [True, True]

    @pytest.mark.parametrize(
        ("status", "line"),
        [(301, b"GET /b"), (302, b"GET /b"), (303, b"GET /b"), (307, b"POST /b"), (308, b"POST /b")],
    )
    def test_repeat_the_body_only_when_told_to(self, client, status, line):
        with ScriptedServer(answer(f"{status} Elsewhere", Location="/b")) as server, suppress(OutboundFailed):
            fetch(client, server, method="POST", body=b"data", max_redirects=1)

        assert server.requests[1].startswith(line)
        assert server.requests[1].endswith(b"data") == line.startswith(b"POST")


class TestEncryption:
    @pytest.fixture
    def secure_server(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        with ScriptedServer(answer(body=b"secret"), tls=context) as server:
            yield server

    def make_client(self) -> OutboundClient:
        names = {"secure.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]}
        return OutboundClient(allowed_private=parse_networks("127.0.0.1"), resolver=zone(**names))

    def test_with_a_certificate_nobody_vouches_for_is_refused(self, secure_server):
        with pytest.raises(OutboundFailed, match="is not trusted: self-signed certificate") as raised:
            self.make_client().send(OutboundRequest("GET", f"https://secure.test:{secure_server.port}/"))

        assert raised.value.kind is FailureKind.TLS
        assert secure_server.requests == []

    def test_with_a_trusted_certificate_is_checked_by_name_although_the_address_is_pinned(
        self, secure_server, monkeypatch
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

        response = self.make_client().send(OutboundRequest("GET", f"https://secure.test:{secure_server.port}/"))

        assert response.body == b"secret"

    def test_with_the_certificate_of_another_name_is_refused(self, secure_server, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

        with pytest.raises(OutboundFailed, match="Hostname mismatch") as raised:
            self.make_client().send(OutboundRequest("GET", f"https://other.test:{secure_server.port}/"))

        assert (raised.value.kind, secure_server.requests) == (FailureKind.TLS, [])

    def test_with_a_server_that_does_not_know_it_fails_in_words(self, client):
        with ScriptedServer(b"hello\r\n") as server:
            server.script = lambda stream, _: stream.sendall(b"hello, this is not TLS\r\n")
            with pytest.raises(OutboundFailed, match="did not set up an encrypted connection") as raised:
                client.send(OutboundRequest("GET", f"https://127.0.0.1:{server.port}/"))

        assert raised.value.kind is FailureKind.TLS

    def test_that_never_gets_set_up_is_left_after_the_time_to_connect(self, client):
        with (
            ScriptedServer(lambda _, over: over.wait(5)) as server,
            pytest.raises(OutboundFailed, match="took too long to set up") as raised,
        ):
            client.send(
                OutboundRequest("GET", f"https://127.0.0.1:{server.port}/"),
                limits=OutboundLimits(connect_seconds=0.2),
            )

        assert raised.value.kind is FailureKind.TIMEOUT

    def test_is_not_given_up_by_a_redirect(self, secure_server, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        secure_server.script = answer("302 Found", Location="http://secure.test/")

        with pytest.raises(OutboundFailed, match="without encryption") as raised:
            self.make_client().send(
                OutboundRequest("GET", f"https://secure.test:{secure_server.port}/"),
                limits=OutboundLimits(max_redirects=1),
            )

        assert raised.value.kind is FailureKind.REDIRECT
