"""Webhooks of one's own: signed, with a key that every try shares, and through the guard."""

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

import pytest

from app.core.http import OutboundClient, OutboundLimits, OutboundResponse
from app.notifications.couriers import judging
from app.notifications.couriers.errands import ChannelInvalid, Fate, Place
from app.notifications.couriers.webhook import WebhookCourier
from tests.fakes.chat.server import ChatServer, Way
from tests.unit.notifications.places import CONTENT, NOW, errand, failure_of, webhook

KEY = "0123456789abcdef"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


def place_of(server: ChatServer) -> Place:
    return webhook().clean({"url": f"{server.url}/hook?token=s3cr3t-s3cr3t", "signing_key": KEY})


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class TestSending:
    def test_the_body_is_signed_with_its_second(self, server):
        webhook().carry(place_of(server), CONTENT, errand())

        told = server.chat.hooks[0]
        moment, _, given = told.headers["x-belfry-signature"].removeprefix("t=").partition(",v1=")
        expected = hmac.new(KEY.encode(), moment.encode() + b"." + told.body, hashlib.sha256).hexdigest()
        assert given == expected

    @pytest.mark.parametrize(("status", "fate"), [(405, Fate.BROKEN), (410, Fate.BROKEN), (400, Fate.REFUSED)])
    def test_an_address_that_takes_no_messages_is_broken_for_good(self, status, fate):
        answer = OutboundResponse(status, (), b"", False, 0.1, "https://example.com/hook")

        assert judging.judge(answer, who="example.com", now=NOW, clean=str).fate is fate

    def test_two_tries_have_one_key_and_one_body(self, server):
        place = place_of(server)
        webhook().carry(place, CONTENT, errand())
        webhook().carry(place, CONTENT, errand())

        first, second = server.chat.hooks
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "k-1"
        assert json.loads(first.body) == json.loads(second.body)

    def test_a_key_is_made_for_whoever_gives_none(self, server):
        place = webhook().clean({"url": f"{server.url}/hook"})

        key = json.loads(place.secret)["key"]
        assert (len(key) >= 32, place.made, key in repr(place)) == (True, key, False)

    def test_a_key_that_was_given_or_kept_is_not_made(self, server):
        place = place_of(server)

        assert (place.made, webhook().clean({}, before=place).made) == (None, None)

    def test_what_the_server_says_is_shown_without_the_address(self, server):
        server.chat.plan.append(Way.BROKEN)

        failure = failure_of(webhook(), place_of(server))

        assert failure.message == '127.0.0.1 answered 500: {"message": "500: Internal Server Error"}'
        assert failure.fate is Fate.LATER

    def test_a_silent_server_leaves_open_what_became_of_it(self, server, monkeypatch):
        monkeypatch.setattr(judging, "LIMITS", replace(judging.LIMITS, total_seconds=0.3))
        server.chat.plan.append(Way.HANGS)

        assert failure_of(webhook(), place_of(server)).fate is Fate.DOUBTFUL

    def test_nobody_listening_means_that_it_did_not_arrive(self, server):
        place = webhook().clean({"url": f"http://127.0.0.1:{free_port()}/hook", "signing_key": KEY})

        assert failure_of(webhook(), place).fate is Fate.LATER

    def test_limits_of_messages_are_those_that_hold(self):
        assert (
            OutboundLimits(connect_seconds=3.0, total_seconds=10.0, max_response_bytes=65_536, max_redirects=0)
            == judging.LIMITS
        )


class TestGuard:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1/x",
            "http://[::1]/x",
            "http://169.254.169.254/latest",
            "http://10.0.0.7/x",
            "http://2130706433/x",
            "http://127.1/x",
            "http://[::ffff:127.0.0.1]/x",
            "ftp://example.com/x",
            "file:///etc/passwd",
            "https://user:pw@example.com/x",
            "https://example.com:6379/x",
            "https://example.com/x\r\nEvil: 1",
            "nonsense",
            "",
        ],
    )
    def test_what_leads_inside_or_nowhere_is_refused_at_once(self, url):
        guarded = WebhookCourier(OutboundClient())

        with pytest.raises(ChannelInvalid) as caught:
            guarded.clean({"url": url, "signing_key": KEY})

        assert caught.value.field == "url"

    def test_a_name_that_leads_inside_later_is_refused_when_it_is_sent(self):
        inside = WebhookCourier(OutboundClient(resolver=lambda _host: [ip_address("127.0.0.1")]))
        place = inside.clean({"url": "https://example.com/hook", "signing_key": KEY})

        failure = failure_of(inside, place)

        assert (failure.fate, "refused" in failure.message) == (Fate.BROKEN, True)

    def test_nobody_is_followed_inside(self, server):
        server.chat.plan.append(Way.MOVED)
        server.chat.moved_to = "http://169.254.169.254/latest/meta-data"

        failure = failure_of(webhook(), place_of(server))

        assert (failure.fate, len(server.chat.told)) == (Fate.LATER, 1)

    @pytest.mark.parametrize("key", ["short", "x" * 201, "with\nline break 123456", "схлюч" * 5])
    def test_keys_that_cannot_sign_are_refused(self, key):
        with pytest.raises(ChannelInvalid) as caught:
            webhook().clean({"url": "https://example.com/x", "signing_key": key})

        assert caught.value.field == "signing_key"
