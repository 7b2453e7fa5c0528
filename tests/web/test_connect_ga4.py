"""The form that connects Google Analytics: a key file that is uploaded or pasted, and never shown again."""

import html
import io
import re
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask

from app.core.config import Settings
from app.core.db import Database
from app.edge.runtime import EXTENSION
from app.ops.login_desk import LoginDesk
from app.schedules.defaults import give_default_schedules
from tests.fakes.clock import ManualClock
from tests.fakes.providers.ga4.scenarios import BERLIN
from tests.fakes.providers.google.keys import KEY_FILE, OTHER_READER, SECRETS, STRANGER, key_file
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.world import World
from tests.fakes.service_settings import with_services
from tests.unit.syncs.ga4_world import google_world
from tests.web.conftest import Browser
from tests.web.test_connections import row, text_of

NEW = "/connections/new/ga4"
NAME = f"Google Analytics {BERLIN}"


@pytest.fixture
def world(clock: ManualClock) -> World:
    return google_world(clock.moment)


@pytest.fixture(autouse=True)
def desk(app: Flask, settings: Settings, database: Database, world: World) -> LoginDesk:
    told = with_services(settings, ga4_base_url=f"{BASE}/ga4", google_token_url=f"{BASE}/google/token")
    found = LoginDesk(told, database, lambda: InsideClient(world))
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], logins=found, settings=told)
    return found


@pytest.fixture(autouse=True)
def defaults(database: Database, organization_id: UUID, clock: ManualClock) -> None:
    with database.transaction() as session:
        give_default_schedules(session, organization_id=organization_id, now=clock.moment)


def connected(browser: Browser) -> str:
    answer = browser.send(NEW, {"token": KEY_FILE, "account_id": BERLIN})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


class TestTheForm:
    def test_says_what_it_takes_and_what_for(self, admin) -> None:
        page = text_of(admin.visit(NEW))

        assert "Key file" in page
        assert "the role Viewer on the property is enough" in page
        assert "Find my accounts" not in page
        assert "Meta" not in page.partition("Its login")[2]

    def test_calls_neither_way_to_hand_the_key_over_optional(self, admin) -> None:
        form = text_of(admin.visit(NEW)).partition("Its login")[2]

        # The name alone: without one the connection is called as its account is.
        assert re.findall(r"(\w[\w ]*) \(optional\)", form) == ["Name"]

    def test_takes_a_file(self, admin, database) -> None:
        upload = (io.BytesIO(KEY_FILE.encode()), "key.json")

        answer = admin.send(NEW, {"key_file": upload, "account_id": BERLIN}, content_type="multipart/form-data")

        assert answer.status_code == 303, answer.text
        assert row(database, NAME).secret_hint == "4567"

    def test_takes_what_is_in_it_and_shows_what_was_read(self, admin) -> None:
        page = text_of(admin.visit(connected(admin)))

        assert re.search(rf"Read [\d,]+ sessions of the last four weeks from property {BERLIN}: ok", page)
        assert "Europe/Berlin, EUR" in page
        assert "Enable Google Analytics sync…" in page

    def test_keeps_a_good_file_and_asks_for_the_property_again(self, admin, database) -> None:
        upload = (io.BytesIO(KEY_FILE.encode()), "key.json")
        page = admin.send(NEW, {"key_file": upload, "account_id": "G-1"}, content_type="multipart/form-data")
        kept = html.unescape(re.search(r'name="kept"[^>]*value="([^"]+)"', page.text)[1])
        assert (page.status_code, "not of a property" in page.text) == (422, True)

        answer = admin.send(NEW, {"kept": kept, "account_id": BERLIN})

        assert answer.status_code == 303
        assert row(database, NAME).zone == "Europe/Berlin"

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"token": "", "account_id": BERLIN}, "Choose the key file, or paste what is in it."),
            ({"token": "\udce4\x00{", "account_id": BERLIN}, "not the JSON of a key file"),
            ({"token": KEY_FILE, "account_id": ""}, "The id of a property consists of digits."),
            ({"token": KEY_FILE, "account_id": "", "find": "yes"}, "The id of a property consists of digits."),
            ({"token": key_file(STRANGER), "account_id": BERLIN}, "Add that address as a Viewer"),
        ],
    )
    def test_says_what_is_wrong_and_shows_no_key(self, admin, said, words) -> None:
        answer = admin.send(NEW, {name: value.encode("utf-8", "replace").decode() for name, value in said.items()})

        assert (answer.status_code, words in text_of(answer)) == (422, True)
        assert not [secret for secret in SECRETS if secret in html.unescape(answer.text)]

    def test_refuses_bytes_that_are_no_text(self, admin) -> None:
        upload = (io.BytesIO(bytes(range(256)) * 200), "key.json")

        answer = admin.send(NEW, {"key_file": upload, "account_id": BERLIN}, content_type="multipart/form-data")

        assert (answer.status_code, "too long for a key file" in answer.text) == (422, True)


class TestAConnection:
    def test_takes_another_key(self, admin, database) -> None:
        address = connected(admin)
        newer = key_file(OTHER_READER, private_key_id="f" * 36 + "9876")
        assert "Key file" in admin.visit(f"{address}/login").text

        answer = admin.send(f"{address}/login", {"token": newer})

        assert answer.status_code == 303
        assert row(database, NAME).secret_hint == "9876"

    def test_that_is_no_longer_let_in_is_refused_by_a_test_and_says_whom_to_let_in(
        self, admin, world, database
    ) -> None:
        address = connected(admin)
        world.provider("ga4").properties[BERLIN].viewers.clear()

        answer = admin.send(f"{address}/test")

        assert answer.status_code == 303
        assert row(database, NAME).last_test_good is False
        assert "may not read property" in text_of(admin.visit(address))

    def test_with_hidden_revenue_says_so_when_it_is_tested(self, admin, world) -> None:
        world.fail("ga4", "quality", variant="restricted", times=None)

        assert "This key may not see Revenue" in text_of(admin.visit(connected(admin)))
