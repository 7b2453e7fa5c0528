"""The token leaves the process in one header, and is found in no log, error, trace or representation."""

import logging
import traceback
from urllib.parse import quote

import pytest

from app.core.http import OutboundClient
from app.syncs.calls.troubles import SyncFailed
from app.syncs.meta.accounts import read_account
from tests.fakes.providers.meta.scenarios import EU, TOKEN
from tests.fakes.providers.server import FakeServer
from tests.fakes.watch import FakeWatch
from tests.unit.syncs.meta_world import make_client, make_reading

EVERY_FAULT = [
    {"fault": "expired_token"},
    {"fault": "revoked"},
    {"fault": "no_permission"},
    {"fault": "rate_limit_nohint"},
    {"fault": "5xx", "variant": "html"},
    {"fault": "5xx", "variant": "transient"},
    {"fault": "slow"},
    {"fault": "truncated"},
    {"fault": "truncated", "variant": "garbage"},
    {"fault": "too_large"},
    {"fault": "blocked"},
    {"fault": "duplicate_page", "variant": "same_after"},
    {"fault": "echo", "text": TOKEN},
    {"fault": "echo", "text": f"Malformed access token {TOKEN}"},
    {"fault": "echo", "text": quote(f"Bearer {TOKEN}")},
    {"fault": "echo", "text": TOKEN[:20] + "\x07" + TOKEN[20:]},
    {"fault": "echo", "text": TOKEN[:20] + "\x00" + TOKEN[20:]},
]


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda fault: "-".join(map(str, fault.values()))[:30])
def test_is_in_no_message_and_no_log(world, fault, caplog):
    caplog.set_level(logging.DEBUG)
    reading = make_reading(world, page_rows=20)
    world.fail("meta", times=None, **fault)

    with pytest.raises(SyncFailed) as failed:
        reading.read()

    error = failed.value
    trace = "".join(traceback.format_exception(error))
    texts = [error.message, repr(error), str(error.trouble), *reading.watch.lines, caplog.text, trace]
    assert TOKEN not in "\n".join(texts)
    assert TOKEN[:25] not in "\n".join(texts)


def test_is_not_shown_by_a_client(world):
    assert TOKEN not in repr(make_client(world, FakeWatch(world)))


def test_is_in_no_message_of_a_connection_that_fails(world, caplog):
    caplog.set_level(logging.DEBUG)
    with FakeServer(world) as server:
        base = server.url
    client = make_client(world, FakeWatch(world))
    client.base_url, client.sender = f"{base}/meta/v26.0", OutboundClient(own_urls=(base,))

    with pytest.raises(SyncFailed) as failed:
        read_account(client, EU)

    assert TOKEN not in "".join(traceback.format_exception(failed.value)) + caplog.text


def test_is_never_part_of_an_address(world):
    make_reading(world, page_rows=7).read()

    assert {(asked.auth, "access_token" in asked.query) for asked in world.asked} == {("bearer", False)}
