"""`/deliveries`: what was told, for programs."""

import pytest

from app.tenants.roles import Role
from tests.api.conftest import OpenApi
from tests.api.scenarios import DISCORD_HOOK
from tests.fakes.chat.server import Chat, Way


@pytest.fixture
def api(open_api: OpenApi):
    return open_api()


@pytest.fixture
def channel(api) -> str:
    body = {"kind": "discord", "name": "#data", "settings": {"webhook_url": DISCORD_HOOK}}
    return str(api.post("/channels", body).json["data"]["id"])


def told(api, channel: str) -> str:
    return str(api.post(f"/channels/{channel}/tests").json["data"]["delivery_id"])


def test_a_message_says_what_became_of_it(api, channel: str, chat: Chat):
    good = told(api, channel)
    chat.plan.append(Way.UNKNOWN)
    bad = told(api, channel)

    found = {one["id"]: one for one in api.get("/deliveries").json["data"]}

    assert (found[good]["state"], found[good]["kind"]) == ("sent", "test")
    assert "Discord does not know this webhook" in found[bad]["last_error"]


def test_the_list_goes_on_and_is_of_one_channel(api, channel: str):
    made = [told(api, channel) for _ in range(3)]

    first = api.get(f"/deliveries?channel={channel}&limit=2").json
    rest = api.get(f"/deliveries?channel={channel}&limit=2&cursor={first['next']}").json

    assert {one["id"] for one in [*first["data"], *rest["data"]]} == set(made)
    assert api.get("/deliveries?channel=00000000-0000-0000-0000-000000000000").json["data"] == []


def test_it_is_sent_again(api, channel: str):
    answer = api.post(f"/deliveries/{told(api, channel)}/resend")

    found = answer.json["data"]
    assert (answer.status_code, found["state"]) == (202, "pending")
    assert api.post(f"/deliveries/{found['id']}/resend").status_code == 409


def test_who_may_not_is_refused_and_strangers_find_nothing(api, channel: str, open_api: OpenApi):
    here = f"/deliveries/{told(api, channel)}"
    stranger = open_api(email="eve@example.com")

    assert open_api(email="otto@example.com", role=Role.OPERATOR).post(f"{here}/resend").status_code == 403
    assert stranger.get(here).status_code == stranger.post(f"{here}/resend").status_code == 404
