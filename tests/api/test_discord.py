"""`/discord`: one channel to set up, test, and tell something by."""

import json

import pytest
from sqlalchemy import select

from app.core.db import Base
from app.notifications.types import NotificationType
from app.tenants.roles import Role
from tests.api.conftest import OpenApi
from tests.api.scenarios import DISCORD_HOOK
from tests.fakes.chat.server import Chat, Way
from tests.fakes.database import OpenDatabase


class TestConfig:
    def test_there_is_none_at_first(self, open_api: OpenApi):
        assert open_api().get("/discord/config").json["data"]["configured"] is False

    def test_what_is_set_up_is_shown_without_its_address(self, open_api: OpenApi):
        api = open_api()
        api.put("/discord/config", {"webhook_url": DISCORD_HOOK, "name": "#data"})

        answer = api.get("/discord/config")

        assert (answer.json["data"]["name"], answer.json["data"]["webhook_hint"]) == ("#data", "wwww")
        assert "w" * 20 not in answer.text

    def test_without_an_address_the_rest_changes(self, open_api: OpenApi):
        api = open_api()
        api.put("/discord/config", {"webhook_url": DISCORD_HOOK})
        api.put("/discord/config", {"name": "#ops", "enabled": False})

        found = api.get("/discord/config").json["data"]

        assert (found["name"], found["enabled"], found["webhook_hint"]) == ("#ops", False, "wwww")

    @pytest.mark.parametrize("url", ["", "https://example.com/hook", "http://127.0.0.1/api/webhooks/1/2", "x" * 400])
    def test_an_address_that_is_none_of_discord_is_refused(self, open_api: OpenApi, url):
        answer = open_api().put("/discord/config", {"webhook_url": url})

        assert answer.status_code == 422
        assert answer.json["error"]["fields"][0]["field"] == "webhook_url"

    def test_it_is_deleted(self, open_api: OpenApi):
        api = open_api()
        api.put("/discord/config", {"webhook_url": DISCORD_HOOK})

        assert api.delete("/discord/config").status_code == 200
        assert api.get("/discord/config").json["data"]["configured"] is False
        assert api.delete("/discord/config").status_code == 404

    def test_a_viewer_may_look_and_change_nothing(self, open_api: OpenApi):
        api = open_api(role=Role.VIEWER)

        assert api.get("/discord/config").status_code == 200
        assert api.put("/discord/config", {"webhook_url": DISCORD_HOOK}).status_code == 403
        assert api.post("/discord/test").status_code == 403
        assert api.post("/discord/notify", {"type": "run_failed"}).status_code == 403

    def test_of_strangers_nothing_is_seen(self, open_api: OpenApi):
        open_api().put("/discord/config", {"webhook_url": DISCORD_HOOK})

        assert open_api(email="eve@example.com").get("/discord/config").json["data"]["configured"] is False


class TestTest:
    def test_it_tells_that_it_arrived(self, open_api: OpenApi, chat: Chat):
        api = open_api()
        api.put("/discord/config", {"webhook_url": DISCORD_HOOK, "name": "#data"})

        found = api.post("/discord/test").json["data"]

        assert found["is_good"]
        assert found["words"].startswith("Delivered to “#data” in")
        assert len(chat.messages) == 1

    def test_it_tells_what_discord_said_and_the_channel_is_switched_off(self, open_api: OpenApi, chat: Chat):
        api = open_api()
        api.put("/discord/config", {"webhook_url": DISCORD_HOOK})
        chat.plan.append(Way.UNKNOWN)

        found = api.post("/discord/test").json["data"]

        config = api.get("/discord/config").json["data"]
        assert (found["is_good"], "deleted" in found["words"]) == (False, True)
        assert (config["state"], config["enabled"]) == ("broken", False)

    def test_a_good_test_ends_that_it_is_broken(self, open_api: OpenApi, chat: Chat):
        api = open_api()
        api.put("/discord/config", {"webhook_url": DISCORD_HOOK})
        chat.plan.append(Way.UNKNOWN)
        api.post("/discord/test")

        api.post("/discord/test")

        assert api.get("/discord/config").json["data"]["state"] == "on"

    def test_without_a_channel_there_is_nothing_to_test(self, open_api: OpenApi):
        assert open_api().post("/discord/test").status_code == 404


class TestNotify:
    @pytest.mark.parametrize("type_", list(NotificationType))
    def test_every_type_is_told(self, open_api: OpenApi, type_):
        api = open_api()
        api.put("/discord/config", {"webhook_url": DISCORD_HOOK})

        answer = api.post("/discord/notify", {"type": type_.value, "data": {"job": "Ads", "error": "Timed out"}})

        assert (answer.status_code, answer.json["data"]["state"]) == (202, "pending")

    def test_what_is_no_type_or_no_fact_is_named(self, open_api: OpenApi):
        api = open_api()
        api.put("/discord/config", {"webhook_url": DISCORD_HOOK})

        answers = [
            api.post("/discord/notify", {"type": "party", "data": {}}),
            api.post("/discord/notify", {"type": "run_failed", "data": {"colour": "red"}}),
            api.post("/discord/notify", {"type": "run_failed", "data": {"nth": "two"}}),
        ]

        assert [answer.status_code for answer in answers] == [422, 422, 422]

    def test_a_channel_that_is_off_tells_nothing(self, open_api: OpenApi):
        api = open_api()
        api.put("/discord/config", {"webhook_url": DISCORD_HOOK, "enabled": False})

        assert api.post("/discord/notify", {"type": "run_failed"}).status_code == 409


def test_no_address_is_kept_beside_the_vault(open_api: OpenApi, database: OpenDatabase):
    api = open_api()
    api.put("/discord/config", {"webhook_url": DISCORD_HOOK})
    api.post("/discord/test")

    with database.transaction() as session:
        for table in Base.metadata.sorted_tables:
            rows = [list(map(str, row)) for row in session.execute(select(table))]
            assert "w" * 20 not in json.dumps(rows), table.name
