"""`/connections` of Google Analytics, with the fakes of Google behind the API. No part of a key is in any answer."""

import pytest
from flask import Flask

from app.edge.runtime import EXTENSION
from tests.api.conftest import Caller, OpenApi
from tests.fakes.providers.ga4.scenarios import BERLIN
from tests.fakes.providers.google.keys import KEY_FILE, OTHER_READER, READER, SECRETS, STRANGER, key_file
from tests.fakes.providers.world import World

NEW = {"service": "ga4", "account_id": f"properties/{BERLIN}", "token": KEY_FILE}


@pytest.fixture
def world(app: Flask) -> World:
    found: World = app.extensions[EXTENSION].logins.make_sender()._world
    return found


@pytest.fixture
def caller(open_api: OpenApi) -> Caller:
    return open_api()


class TestConnecting:
    def test_tries_the_key_and_says_what_it_read(self, caller) -> None:
        answer = caller.post("/connections", NEW)

        data = answer.get_json()["data"]
        assert f"of the last four weeks from property {BERLIN}: ok" in answer.get_json()["message"]
        assert (data["service"], data["account_id"], data["name"]) == ("ga4", BERLIN, f"Google Analytics {BERLIN}")
        assert (data["timezone"], data["currency"], data["token_hint"]) == ("Europe/Berlin", "EUR", "4567")
        assert data["expiry_known_at"] is not None
        assert not [secret for secret in SECRETS if secret in answer.text]

    @pytest.mark.parametrize(
        ("said", "field", "words"),
        [
            ({"account_id": "G-ABC123"}, "account_id", "not of a property"),
            ({"token": "{}"}, "token", "not the key of a service account"),
            ({"token": key_file(STRANGER)}, "account_id", f"{STRANGER} may not read property {BERLIN}"),
            ({"token": key_file("nobody@belfry-fake.iam.gserviceaccount.com")}, "token", "it was deleted"),
            ({"account_id": "999"}, "account_id", f"{READER} may not read property 999"),
        ],
    )
    def test_says_what_is_wrong_and_saves_nothing(self, caller, said, field, words) -> None:
        answer = caller.post("/connections", NEW | said)

        assert answer.status_code == 422
        assert [each["field"] for each in answer.get_json()["error"]["fields"]] == [field]
        assert words in answer.text
        assert caller.get("/connections").get_json()["data"] == []

    def test_tells_the_operator_of_a_wrong_clock(self, caller, world) -> None:
        world.fail("google", "clock_skew")

        assert "whoever runs Belfry has to set the clock" in caller.post("/connections", NEW).text

    def test_sends_the_key_to_no_address_that_stands_in_it(self, caller, world) -> None:
        caller.post("/connections", NEW | {"token": key_file(READER, token_uri="http://127.0.0.1:9/token")})

        assert [asked.route for asked in world.asked] == ["token", "glance"]

    def test_cannot_list_properties_and_says_so(self, caller) -> None:
        found = caller.post("/connections/accounts", {"service": "ga4", "token": KEY_FILE}).get_json()["data"]

        assert found["accounts"] == []
        assert "Type the number of the property" in found["problem"]

    def test_takes_another_key_after_trying_it(self, caller) -> None:
        connection_id = caller.post("/connections", NEW).get_json()["data"]["id"]

        refused = caller.put(f"/connections/{connection_id}/login", {"token": key_file(STRANGER)})
        taken = caller.put(
            f"/connections/{connection_id}/login", {"token": key_file(OTHER_READER, private_key_id="f" * 36 + "9876")}
        )

        assert (refused.status_code, taken.status_code) == (422, 200)
        assert taken.get_json()["data"]["token_hint"] == "9876"
