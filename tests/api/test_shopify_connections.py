"""Connecting shops over the API: the parts of a login in one text, and no part of it in any answer."""

import json
from dataclasses import replace

import pytest
from flask import Flask

from app.edge.runtime import EXTENSION
from app.ops.login_desk import LoginDesk
from tests.api.conftest import Caller, OpenApi
from tests.fakes.clock import ManualClock
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.scenarios import ACME, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SECRETS, TOKEN
from tests.fakes.providers.world import World
from tests.fakes.service_settings import with_services

APP = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
REFRESH = json.dumps(APP | {"refresh_token": REFRESH_TOKEN})


@pytest.fixture
def world(app: Flask, clock: ManualClock) -> World:
    made = World(ShopifyFake(), now=clock.moment)
    before = app.extensions[EXTENSION]
    settings = with_services(before.settings, shopify_base_url_template=f"{BASE}/shopify/{{shop}}")
    desk = LoginDesk(settings, before.logins.database, lambda: InsideClient(made))
    app.extensions[EXTENSION] = replace(before, logins=desk)
    return made


@pytest.fixture
def caller(open_api: OpenApi, world: World) -> Caller:
    return open_api()


def made(caller: Caller, token: str = TOKEN, shop: str = ACME):
    return caller.post("/connections", {"service": "shopify", "account_id": shop, "token": token})


class TestConnecting:
    @pytest.mark.parametrize("token", [TOKEN, json.dumps({"token": TOKEN}), json.dumps(APP), REFRESH])
    def test_takes_each_way_to_sign_in(self, caller, token):
        answer = made(caller, token)

        assert answer.status_code == 201, answer.text
        data = answer.get_json()["data"]
        assert (data["account_id"], data["currency"], data["state"]) == (ACME, "USD", "connected")
        assert not any(secret in answer.text for secret in SECRETS)

    def test_tells_when_a_refresh_token_ends(self, caller):
        assert made(caller, REFRESH).get_json()["data"]["expires_at"] is not None
        assert made(caller, REFRESH).status_code in {409, 422}

    @pytest.mark.parametrize(
        "shop", ["evil.com/x", "a@acme.myshopify.com", "acme.myshopify.com:1", "acmé.myshopify.com"]
    )
    def test_refuses_what_is_no_shop(self, caller, world, shop):
        answer = made(caller, shop=shop)

        assert answer.status_code == 422
        assert "such as acme.myshopify.com" in answer.text
        assert world.asked == []

    def test_refuses_half_a_login_without_repeating_it(self, caller, world):
        answer = made(caller, json.dumps({"client_secret": CLIENT_SECRET}))

        assert answer.status_code == 422
        assert CLIENT_SECRET not in answer.text
        assert world.asked == []

    def test_has_no_list_of_shops(self, caller):
        found = caller.post("/connections/accounts", {"service": "shopify", "token": TOKEN}).get_json()["data"]

        assert found["accounts"] == []
        assert "Say which one" in found["problem"]


class TestTheRest:
    def test_tests_and_replaces(self, caller, world):
        here = f"/connections/{made(caller, REFRESH).get_json()['data']['id']}"
        test = caller.post(f"{here}/tests").get_json()["data"]
        replaced = caller.put(f"{here}/login", {"token": json.dumps(APP)})

        assert test["is_good"]
        assert replaced.status_code == 200
        assert replaced.get_json()["data"]["expires_at"] is None
        assert not any(secret in replaced.text for secret in SECRETS)

    def test_tells_that_the_shop_is_frozen(self, caller, world):
        here = f"/connections/{made(caller).get_json()['data']['id']}"
        world.fail("shopify", "account_state", variant="402", times=None)

        test = caller.post(f"{here}/tests").get_json()["data"]

        assert (test["is_good"], test["trouble"]) == (False, "account_unavailable")
        assert caller.get(here).get_json()["data"]["state"] == "refused"
