import json
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import pytest

from app.core.addresses import parse_networks
from app.core.deadline import Deadline
from app.core.http import OutboundClient, OutboundFailed, OutboundLimits, OutboundRefused, OutboundRequest
from app.core.wire import PinnedBackend
from tests.unit.core.loopback import PUBLIC, PUBLIC_V6, ScriptedServer, answer, fetch, zone

CORPUS = json.loads(Path(__file__).with_name("forbidden_urls.json").read_text(encoding="utf-8"))
FORBIDDEN_URLS = [url for urls in CORPUS.values() for url in urls]

NAMES = {
    "public.test": [PUBLIC],
    "localhost": ["127.0.0.1", "::1"],
    "sub.localhost": ["127.0.0.1"],
    "loop4.test": ["127.0.0.1"],
    "loop6.test": ["::1"],
    "mixed4.test": [PUBLIC, "127.0.0.1"],
    "mixed6.test": [PUBLIC, "::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "sixtofour.test": ["2002:7f00:1::"],
    "zero.test": ["0.0.0.0"],
    "private.test": ["10.0.0.1"],
    "cname.test": ["127.0.0.1"],
    "metadata.test": ["169.254.169.254"],
    "last-of-many.test": [*[PUBLIC_V6] * 40, "127.0.0.1"],
}


@pytest.fixture(scope="module")
def redirector():
    with ScriptedServer(answer("302 Found"), host="127.0.0.2") as server:
        yield server


@pytest.fixture(scope="module")
def guarded() -> OutboundClient:
    return OutboundClient(resolver=zone(**NAMES))


@pytest.fixture(scope="module")
def guarded_but_for_the_redirector() -> OutboundClient:
    return OutboundClient(
        resolver=zone(**NAMES), allowed_private=parse_networks("127.0.0.2"), limits=OutboundLimits(max_redirects=3)
    )


class TestForbiddenAddresses:
    def test_the_corpus_is_as_large_as_promised(self):
        assert len(set(FORBIDDEN_URLS)) >= 80

    @pytest.mark.parametrize("url", FORBIDDEN_URLS)
    def test_are_refused_without_a_connection(self, guarded, listeners, attempts_outside, url):
        request = OutboundRequest("GET", url.replace("{port}", str(listeners.port)))

        with pytest.raises(OutboundRefused):
            guarded.send(request)

        assert (listeners.connects_seen(), attempts_outside) == (0, [])

    @pytest.mark.parametrize("url", FORBIDDEN_URLS)
    def test_are_not_reached_by_a_redirect_either(
        self, guarded_but_for_the_redirector, redirector, listeners, attempts_outside, url
    ):
        location = url.replace("{port}", str(listeners.port))
        redirector.script = answer("302 Found", Location=location)

        with suppress(OutboundRefused, OutboundFailed):
            start = OutboundRequest("GET", f"http://127.0.0.2:{redirector.port}/")
            guarded_but_for_the_redirector.send(start)

        # A server cannot put a line break into a header: what comes before it may be a public address.
        assert (listeners.connects_seen(), set(attempts_outside) - {PUBLIC}) == (0, set())

    def test_the_listeners_would_have_seen_a_connection(self, client, listeners):
        with pytest.raises(OutboundFailed):
            client.send(
                OutboundRequest("GET", f"http://127.0.0.1:{listeners.port}/"), limits=OutboundLimits(total_seconds=0.1)
            )

        assert listeners.connects_seen() == 1

    def test_a_name_whose_address_changes_after_the_check_is_not_looked_up_again(self, listeners, attempts_outside):
        answers = iter([[ip_address(PUBLIC)], [ip_address("127.0.0.1")]])
        client = OutboundClient(resolver=lambda _: next(answers))

        with pytest.raises(OutboundFailed):
            client.send(OutboundRequest("GET", f"http://rebinding.test:{listeners.port}/"))

        assert (listeners.connects_seen(), attempts_outside) == (0, [PUBLIC])
        assert next(answers) == [ip_address("127.0.0.1")]

    def test_a_name_that_changes_between_redirects_is_checked_again(self, redirector, listeners):
        answers = iter([[ip_address("127.0.0.2")], [ip_address("127.0.0.1")]])
        client = OutboundClient(allowed_private=parse_networks("127.0.0.2"), resolver=lambda _: next(answers))
        redirector.script = answer("302 Found", Location=f"http://rebinding.test:{listeners.port}/")

        with pytest.raises(OutboundRefused, match=r"Requests to 127\.0\.0\.1 are refused"):
            client.send(
                OutboundRequest("GET", f"http://rebinding.test:{redirector.port}/"),
                limits=OutboundLimits(max_redirects=1),
            )

        assert listeners.connects_seen() == 0

    def test_are_refused_once_more_when_the_socket_opens(self, listeners):
        backend = PinnedBackend(
            [ip_address("127.0.0.1")], allowed_private=(), connect_seconds=1, deadline=Deadline.after(1)
        )

        with pytest.raises(OutboundRefused):
            backend.connect_tcp("public.test", listeners.port)

        assert listeners.connects_seen() == 0

    def test_proxies_of_the_environment_are_ignored(self, client, listeners, monkeypatch):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{listeners.port}")

        with ScriptedServer(answer()) as server:
            response = fetch(client, server)

        assert (response.status, listeners.connects_seen()) == (200, 0)


class TestForbiddenRequests:
    @pytest.mark.parametrize("method", ["CONNECT", "TRACE", "", "GET / HTTP/1.1\r\nX: y", "GET ", "G\x00T"])
    def test_methods_that_are_not_for_hooks_are_refused(self, client, listeners, method):
        with pytest.raises(OutboundRefused, match="The method has to be one of"):
            client.send(OutboundRequest(method, f"http://127.0.0.1:{listeners.port}/"))

        assert listeners.connects_seen() == 0

    @pytest.mark.parametrize(
        "header",
        [
            ("X-A", "1\r\nX-B: 2"),
            ("X-A", "1\nX-B: 2"),
            ("X-A", "\x00"),
            ("X-A", "1\x85X-B: 2"),
            ("X-A", "☃"),
            ("X-A\r\nX-B", "1"),
            ("X A", "1"),
            ("X-A:", "1"),
            ("", "1"),
            ("Host", "internal.test"),
            ("content-length", "0"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
            ("Proxy-Authorization", "Basic eA=="),
        ],
    )
    def test_headers_that_could_bend_the_request_are_refused(self, client, listeners, header):
        with pytest.raises(OutboundRefused):
            client.send(OutboundRequest("GET", f"http://127.0.0.1:{listeners.port}/", headers=(header,)))

        assert listeners.connects_seen() == 0

    def test_the_value_of_a_refused_header_stays_out_of_the_message(self, client):
        with pytest.raises(OutboundRefused) as raised:
            client.send(OutboundRequest("GET", "http://127.0.0.1/", headers=(("Authorization", "canary\n"),)))

        assert "canary" not in raised.value.message

    def test_too_many_headers_are_refused(self, client):
        with pytest.raises(OutboundRefused, match="More than 100 headers"):
            client.send(OutboundRequest("GET", "http://127.0.0.1/", headers=(("X-A", "1"),) * 101))

    def test_an_endless_url_is_refused(self, client):
        with pytest.raises(OutboundRefused, match="longer than 8192 characters"):
            client.send(OutboundRequest("GET", "http://127.0.0.1/" + "a" * 8192))
