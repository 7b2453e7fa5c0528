"""`/connections`, with the fake of Meta behind the API."""

from uuid import UUID, uuid4

import pytest
from flask import Flask

from app.edge.runtime import EXTENSION
from tests.api.conftest import Caller, OpenApi
from tests.factories.quotas import tell_quota
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.meta.scenarios import EU, JP, OTHER_TOKEN, SCOPELESS_TOKEN, SECRETS, TOKEN
from tests.fakes.providers.world import World

NEW = {"service": "meta", "account_id": f"act_{EU}", "token": TOKEN}


@pytest.fixture
def world(app: Flask) -> World:
    """The fake that this app asks."""
    found: World = app.extensions[EXTENSION].logins.make_sender()._world
    return found


@pytest.fixture
def caller(open_api: OpenApi) -> Caller:
    return open_api()


def made(caller: Caller) -> str:
    answer = caller.post("/connections", NEW)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["data"]["id"])


class TestConnecting:
    def test_tries_the_login_and_says_what_it_read(self, caller):
        answer = caller.post("/connections", NEW).get_json()

        assert answer["message"].startswith("Read 1 campaign from Acme EU: ok")
        data = answer["data"]
        assert (data["name"], data["state"], data["token_hint"]) == ("Acme EU", "connected", TOKEN[-4:])
        assert data["expires_at"] is not None
        assert data["job_id"] is not None

    def test_repeats_an_answer_and_connects_once(self, caller):
        key = str(uuid4())

        first = caller.post("/connections", NEW, Idempotency_Key=key)
        again = caller.post("/connections", NEW, Idempotency_Key=key)

        assert again.get_json() == first.get_json()
        assert again.headers["Idempotency-Replayed"] == "true"
        assert len(caller.get("/connections").get_json()["data"]) == 1

    def test_says_why_a_login_is_not_good(self, caller):
        answer = caller.post("/connections", NEW | {"token": SCOPELESS_TOKEN})

        assert answer.status_code == 422
        assert "no access to ad account" in answer.text
        assert caller.get("/connections").get_json()["data"] == []

    def test_says_that_meta_says_nothing(self, caller, world):
        world.fail("meta", "5xx", times=None)

        assert caller.post("/connections", NEW).status_code == 503

    def test_lists_the_accounts_of_a_token(self, caller):
        found = caller.post("/connections/accounts", {"service": "meta", "token": TOKEN}).get_json()["data"]

        assert {one["account_id"] for one in found["accounts"]} == {EU, JP}

    def test_knows_no_other_service(self, caller):
        assert caller.post("/connections", NEW | {"service": "etsy"}).status_code == 422


class TestTheRest:
    def test_tests_rotates_and_ends(self, caller, world):
        connection_id = made(caller)
        world.fail("meta", "revoked", times=None)
        test = caller.post(f"/connections/{connection_id}/tests").get_json()["data"]
        assert (test["is_good"], test["trouble"]) == (False, "auth_revoked")
        assert caller.get(f"/connections/{connection_id}").get_json()["data"]["state"] == "refused"
        world.faults.clear()

        answer = caller.put(f"/connections/{connection_id}/login", {"token": OTHER_TOKEN}).get_json()

        assert answer["message"].startswith("Reconnected.")
        assert answer["data"]["state"] == "connected"
        kept = caller.get(f"/connections/{connection_id}/tests").get_json()["data"]
        assert [one["is_good"] for one in kept] == [True, False, True]
        assert caller.delete(f"/connections/{connection_id}").status_code == 200
        assert caller.get(f"/connections/{connection_id}").get_json()["data"]["state"] == "disconnected"
        assert caller.post(f"/connections/{connection_id}/tests").status_code == 409

    def test_needs_the_scope(self, open_api, caller):
        connection_id = made(caller)
        runs = open_api(scopes=("view", "run"), email="r@example.com", organization_id=caller.organization_id)

        assert runs.post(f"/connections/{connection_id}/tests").status_code == 201
        assert runs.put(f"/connections/{connection_id}/login", {"token": TOKEN}).status_code == 403
        assert runs.post("/connections", NEW).status_code == 403

    def test_is_nobody_elses(self, open_api, caller, world):
        connection_id, stranger = made(caller), open_api(email="s@example.com")
        world.asked.clear()

        for method, path in (("GET", ""), ("POST", "/tests"), ("GET", "/tests"), ("DELETE", "")):
            assert stranger.open(method, f"/connections/{connection_id}{path}").status_code == 404
        assert stranger.put(f"/connections/{connection_id}/login", {"token": TOKEN}).status_code == 404
        assert world.asked == []

    def test_shows_no_secret(self, caller, world):
        connection_id = made(caller)
        world.fail("meta", "echo", text=TOKEN, times=4)
        said = [caller.post(f"/connections/{connection_id}/tests").text]
        said += [caller.get(path).text for path in ("/connections", f"/connections/{connection_id}", "/audit")]
        said.append(caller.get(f"/connections/{connection_id}/tests").text)

        assert [secret for secret in SECRETS for text in said if secret in text] == []


def test_tells_how_much_of_its_quota_is_used(caller: Caller, database: OpenDatabase, clock: ManualClock) -> None:
    connection_id = made(caller)
    assert caller.get(f"/connections/{connection_id}").json["data"]["quota"] is None
    here = {"organization_id": caller.organization_id, "connection_id": UUID(connection_id)}
    with database.transaction() as session:
        tell_quota(session, **here, used=98.0, now=clock.moment)

    found = caller.get(f"/connections/{connection_id}").json["data"]["quota"]

    assert (found["used_percent"], found["cost_percent"], found["planned"]) == ("98.0", "5.0", 0)
    assert (found["is_filled"], found["rests_until"]) == (False, None)
