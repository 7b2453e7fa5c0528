"""`/channels`: where people are told, for programs."""

import pytest

from app.tenants.roles import Role
from tests.api.conftest import OpenApi
from tests.api.scenarios import DISCORD_HOOK
from tests.fakes.chat.server import Chat, Way

TELEGRAM = {"token": "1234567890:AA" + "b" * 33, "chat_id": "-1001234567890"}
NEW = {"kind": "telegram", "name": "Ops", "settings": TELEGRAM}


class TestMaking:
    def test_answers_what_was_made_without_its_secret(self, open_api: OpenApi):
        answer = open_api().post("/channels", NEW)

        found = answer.json["data"]
        assert (answer.status_code, found["name"], found["enabled"]) == (201, "Ops", True)
        assert found["settings"] == {"chat_id": "-1001234567890"}
        assert "bbbbb" not in answer.text

    def test_names_the_field_that_is_wrong(self, open_api: OpenApi):
        answer = open_api().post("/channels", {**NEW, "settings": {**TELEGRAM, "chat_id": "here"}})

        assert answer.status_code == 422
        assert answer.json["error"]["fields"][0]["field"] == "chat_id"

    def test_refuses_what_the_kind_does_not_have(self, open_api: OpenApi):
        answer = open_api().post("/channels", {**NEW, "settings": {**TELEGRAM, "colour": "red"}})

        assert answer.status_code == 422
        assert "token, chat_id, topic_id" in answer.text

    def test_refuses_a_name_that_is_taken(self, open_api: OpenApi):
        api = open_api()
        api.post("/channels", NEW)

        assert api.post("/channels", NEW).status_code == 409

    def test_needs_the_permission(self, open_api: OpenApi):
        api = open_api(role=Role.OPERATOR)

        assert api.get("/channels").status_code == 200
        assert api.post("/channels", NEW).status_code == 403


class TestChanging:
    @pytest.fixture
    def api(self, open_api: OpenApi):
        return open_api()

    @pytest.fixture
    def here(self, api) -> str:
        return f"/channels/{api.post('/channels', NEW).json['data']['id']}"

    def test_leaves_what_is_not_sent(self, api, here: str):
        found = api.patch(here, {"settings": {"topic_id": "7"}}).json["data"]

        assert found["settings"] == {"chat_id": "-1001234567890", "topic_id": "7"}
        assert (found["name"], found["secret_hint"]) == ("Ops", "bbbb")

    def test_switches_it(self, api, here: str):
        assert api.patch(here, {"enabled": False}).json["data"]["state"] == "off"
        assert api.patch(here, {"enabled": True}).json["data"]["state"] == "on"

    def test_deletes_and_restores(self, api, here: str):
        assert api.delete(here).status_code == 200
        assert api.get(here).status_code == 404
        assert api.post(f"{here}/restore").json["data"]["name"] == "Ops"

    def test_tests_it(self, api, here: str, chat: Chat):
        good = api.post(f"{here}/tests").json["data"]
        chat.plan.append(Way.FORBIDDEN)
        bad = api.post(f"{here}/tests").json["data"]

        assert good["is_good"]
        assert not bad["is_good"]
        assert api.get(here).json["data"]["state"] == "broken"

    def test_of_a_stranger_is_not_found(self, api, here: str, open_api: OpenApi):
        stranger = open_api(email="eve@example.com")

        assert stranger.get(here).status_code == stranger.patch(here, {"name": "Mine"}).status_code == 404
        assert stranger.post(f"{here}/tests").status_code == 404


class TestKinds:
    def test_say_what_each_asks_for(self, open_api: OpenApi):
        found = {one["kind"]: one["fields"] for one in open_api().get("/channel-kinds").json["data"]}

        assert list(found) == ["discord", "telegram", "email", "webhook", "apprise"]
        assert [one["name"] for one in found["telegram"] if one["is_secret"]] == ["token"]


def test_the_list_goes_on_behind_a_cursor(open_api: OpenApi):
    api = open_api()
    for name in ("b", "a", "C"):
        api.post("/channels", {"kind": "discord", "name": name, "settings": {"webhook_url": DISCORD_HOOK}})

    first = api.get("/channels?limit=2").json
    rest = api.get(f"/channels?limit=2&cursor={first['next']}").json

    assert [one["name"] for one in [*first["data"], *rest["data"]]] == ["a", "b", "C"]
    assert rest["next"] is None


class TestTheSigningKey:
    HOOK = {"kind": "webhook", "name": "Ours", "settings": {"url": "https://hooks.example.com/told"}}

    def test_that_is_made_is_in_one_answer_alone(self, open_api: OpenApi):
        api = open_api()
        once = {"Idempotency-Key": "channel-1"}

        made = api.post("/channels", self.HOOK, **once).json["data"]
        repeated = api.post("/channels", self.HOOK, **once).json["data"]
        here = f"/channels/{made['id']}"

        assert (len(made["signing_key"]) >= 32, repeated["signing_key"], repeated["id"]) == (True, None, made["id"])
        later = [api.get(here).text, api.get("/channels").text, api.patch(here, {"name": "Others"}).text]
        assert not any(made["signing_key"] in text for text in later)

    def test_of_ones_own_is_in_no_answer(self, open_api: OpenApi):
        given = {**self.HOOK["settings"], "signing_key": "0123456789abcdef"}

        answer = open_api().post("/channels", {**self.HOOK, "settings": given})

        assert (answer.json["data"]["signing_key"], "0123456789abcdef" in answer.text) == (None, False)

    def test_is_made_anew(self, open_api: OpenApi):
        api = open_api()
        made = api.post("/channels", self.HOOK).json["data"]

        answer = api.post(f"/channels/{made['id']}/signing-key")

        assert (answer.status_code, answer.json["data"]["signing_key"] != made["signing_key"]) == (201, True)
        other = api.post("/channels", NEW).json["data"]["id"]
        assert api.post(f"/channels/{other}/signing-key").status_code == 422
