"""Trying a login at Shopify: what is seen when it is good, and what to do when it is not."""

import json
from datetime import timedelta

import pytest

from app.core.http import OutboundClient
from app.syncs.calls.troubles import TroubleClass
from app.syncs.shopify.door import ShopifyDoor
from app.syncs.signs.shopify_logins import clean_login, read_login
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.scenarios import (
    ACME,
    CLIENT_ID,
    NIPPON,
    OTHER_TOKEN,
    REFRESH_TOKEN,
    SCOPELESS_TOKEN,
    SECRETS,
)
from tests.fakes.providers.world import World
from tests.unit.syncs.shopify_door_world import CLIENT, FIXED, REFRESH, door_of


@pytest.fixture
def world() -> World:
    return World(ShopifyFake())


def tried(world, secret=FIXED, shop=ACME, **more):
    return door_of(world, **more).try_login(secret, shop, now=world.now)


class TestAGoodLogin:
    @pytest.mark.parametrize("secret", [FIXED, CLIENT, REFRESH])
    def test_reads_one_order(self, world, secret):
        found = tried(world, secret)

        assert found.is_good
        assert found.words.startswith("Read 1 order from Acme =cmd 🏖️: ok, ")
        assert (found.seen.account_id, found.seen.zone, found.seen.currency) == (ACME, "America/New_York", "USD")

    def test_of_another_shop_has_other_days_and_money(self, world):
        seen = tried(world, shop=NIPPON).seen

        assert (seen.zone, seen.currency) == ("Asia/Tokyo", "JPY")

    def test_of_a_shop_without_orders_is_good_as_well(self, world):
        world.provider("shopify").state.shops[ACME].orders.clear()

        found = tried(world)

        assert found.is_good
        assert "no orders that this app may read" in found.words

    def test_says_that_it_sees_sixty_days_alone(self, world):
        found = tried(world, clean_login(OTHER_TOKEN))

        assert found.is_good
        assert "orders of the last 60 days alone" in found.words
        assert "read_all_orders" in found.words
        assert "60 days" not in tried(world).words

    def test_says_that_another_version_answers(self, world):
        found = tried(world, version="2025-01")

        assert found.is_good
        assert "no longer serves the version 2025-01 of its API and answered with 2026-01" in found.words

    @pytest.mark.parametrize("secret", [FIXED, CLIENT])
    def test_that_gets_its_tokens_by_itself_has_no_end(self, world, secret):
        login = tried(world, secret).seen.login

        assert (login.ends_at, login.known_at) == (None, world.now)

    def test_with_a_refresh_token_ends_when_that_does(self, world):
        login = tried(world, REFRESH).seen.login

        assert login.expires_at == world.now + timedelta(days=90)
        assert login.known_at == world.now


class TestARefreshToken:
    def test_is_another_one_after_the_test_and_handed_back(self, world):
        found = tried(world, REFRESH)
        login = read_login(found.secret)

        assert login.refresh_token not in {None, REFRESH_TOKEN}
        assert login.ends_at == world.now + timedelta(hours=1)
        assert found.secret not in repr(found)

    def test_is_handed_back_where_the_rest_was_refused(self, world):
        world.fail("shopify", "account_state", match={"route": "shop"})

        found = tried(world, REFRESH)

        assert not found.is_good
        assert read_login(found.secret).refresh_token != REFRESH_TOKEN

    def test_is_not_used_while_the_token_of_before_is_good(self, world):
        first = tried(world, REFRESH)
        again = tried(world, first.secret)

        assert again.is_good
        assert again.secret is None
        assert len(world.requests("access_token")) == 1

    def test_that_was_used_elsewhere_is_refused(self, world):
        tried(world, REFRESH)

        found = tried(world, REFRESH)

        assert found.trouble is TroubleClass.AUTH_REVOKED
        assert "somebody else used it" in found.words

    def test_whose_answer_says_nothing_of_an_end_is_not_taken_for_endless(self, world):
        world.fail("shopify", "no_expiry")

        login = read_login(tried(world, REFRESH).secret)

        assert login.ends_at == world.now + timedelta(hours=1)

    def test_that_stays_the_same_is_kept(self, world):
        world.fail("shopify", "no_rotation")

        assert read_login(tried(world, REFRESH).secret).refresh_token == REFRESH_TOKEN


class TestALoginThatIsNotGood:
    @pytest.mark.parametrize(
        ("fault", "options", "trouble", "words"),
        [
            ("expired_token", {"times": None}, TroubleClass.AUTH_REVOKED, "no longer accepts the access token"),
            ("no_permission", {"match": {"route": "one_order"}}, TroubleClass.PERMISSION_MISSING, "read_orders"),
            ("no_permission", {"variant": "403"}, TroubleClass.PERMISSION_MISSING, "read_orders"),
            ("rate_limit_hint", {"retry_after": "90"}, TroubleClass.RATE_LIMITED, "Test again in 2 min"),
            ("rate_limit_nohint", {}, TroubleClass.RATE_LIMITED, "Shopify is limiting requests"),
            ("rate_limit_nohint", {"variant": "no_code"}, TroubleClass.RATE_LIMITED, "Shopify is limiting requests"),
            ("5xx", {}, TroubleClass.TRANSIENT, "trouble of its own"),
            ("5xx", {"variant": "graphql"}, TroubleClass.TRANSIENT, "trouble of its own"),
            ("slow", {}, TroubleClass.TRANSIENT, "No answer from Shopify in 10 s"),
            ("truncated", {"variant": "garbage"}, TroubleClass.TRANSIENT, "trouble of its own"),
            ("account_state", {"variant": "402"}, TroubleClass.ACCOUNT_UNAVAILABLE, "frozen, locked or closed"),
            ("account_state", {"variant": "403"}, TroubleClass.ACCOUNT_UNAVAILABLE, "frozen, locked or closed"),
            ("account_state", {"variant": "423"}, TroubleClass.ACCOUNT_UNAVAILABLE, "frozen, locked or closed"),
            ("account_state", {"variant": "404"}, TroubleClass.SETUP_ERROR, "knows no such shop"),
            ("zone_change", {"zone": "Mars/Olympus"}, TroubleClass.INTERNAL, "a time zone"),
            ("text_errors", {}, TroubleClass.INTERNAL, "does not know"),
            ("graphql_error", {"code": "NEW"}, TroubleClass.INTERNAL, "does not know"),
        ],
    )
    def test_is_told_what_to_do(self, world, fault, options, trouble, words):
        world.fail("shopify", fault, **options)

        found = tried(world)

        assert not found.is_good
        assert found.trouble is trouble
        assert words in found.words

    def test_lacks_the_scope(self, world):
        found = tried(world, clean_login(SCOPELESS_TOKEN))

        assert found.trouble is TroubleClass.PERMISSION_MISSING
        assert "read_orders" in found.words

    @pytest.mark.parametrize(
        ("secret", "shop", "trouble"),
        [
            (clean_login("shpatNobodyKnowsThisOne0123456789"), ACME, TroubleClass.AUTH_REVOKED),
            (FIXED, "nobody.myshopify.com", TroubleClass.SETUP_ERROR),
            (CLIENT, "nobody.myshopify.com", TroubleClass.SETUP_ERROR),
        ],
    )
    def test_is_of_nobody(self, world, secret, shop, trouble):
        assert tried(world, secret, shop).trouble is trouble

    @pytest.mark.parametrize(
        ("change", "trouble", "words"),
        [
            ({"secret": "another"}, TroubleClass.AUTH_REVOKED, "does not accept the client secret"),
            ({"shops": ()}, TroubleClass.PERMISSION_MISSING, "not installed there"),
        ],
    )
    def test_is_of_an_app_that_may_not(self, world, change, trouble, words):
        app = world.provider("shopify").state.apps[CLIENT_ID]
        for name, value in change.items():
            setattr(app, name, value)

        found = tried(world, CLIENT)

        assert found.trouble is trouble
        assert words in found.words

    @pytest.mark.parametrize(
        ("fault", "options", "trouble"),
        [
            ("revoked", {}, TroubleClass.AUTH_REVOKED),
            ("revoked", {"variant": "invalid_grant"}, TroubleClass.AUTH_REVOKED),
            ("revoked", {"variant": "never_heard_of"}, TroubleClass.INTERNAL),
            ("5xx", {}, TroubleClass.TRANSIENT),
            ("slow", {}, TroubleClass.TRANSIENT),
            ("truncated", {}, TroubleClass.TRANSIENT),
            ("truncated", {"variant": "garbage"}, TroubleClass.TRANSIENT),
            ("rate_limit_hint", {"retry_after": "90"}, TroubleClass.RATE_LIMITED),
            ("account_state", {"variant": "402"}, TroubleClass.ACCOUNT_UNAVAILABLE),
            ("account_state", {"variant": "423"}, TroubleClass.ACCOUNT_UNAVAILABLE),
            ("account_state", {"variant": "404"}, TroubleClass.SETUP_ERROR),
        ],
    )
    @pytest.mark.parametrize("secret", [CLIENT, REFRESH])
    def test_cannot_be_signed_in(self, world, secret, fault, options, trouble):
        world.fail("shopify", fault, match={"route": "access_token"}, **options)

        found = tried(world, secret)

        assert found.trouble is trouble
        assert world.requests("shop") == []

    def test_is_asked_once(self, world):
        world.fail("shopify", "5xx", times=None)
        tried(world)

        assert len(world.requests()) == 1

    def test_of_an_address_that_is_none_is_never_asked(self, world):
        with pytest.raises(ValueError, match="cleaned"):
            tried(world, shop="evil.com/x")

        assert world.requests() == []


class TestSecrets:
    @pytest.mark.parametrize("route", ["shop", "one_order"])
    @pytest.mark.parametrize("secret", [FIXED, CLIENT, REFRESH])
    def test_come_back_in_no_words(self, world, secret, route):
        login = read_login(secret)
        hidden = [*SECRETS, *login.secrets]
        world.fail("shopify", "echo", text=" ".join(hidden), match={"route": route})

        words = tried(world, secret).words

        assert "•••" in words
        assert not any(each in words for each in login.secrets)

    def test_stand_in_no_address(self, world):
        for secret in (FIXED, CLIENT, REFRESH):
            tried(world, secret)

        said = json.dumps([[asked.path, asked.query, asked.body] for asked in world.asked])
        assert not any(secret in said for secret in SECRETS)


class TestOverTheWire:
    def test_a_shop_is_reached_at_the_address_of_the_settings(self, world):
        with FakeServer(world) as server:
            template = f"{server.url}/shopify/{{shop}}"
            door = ShopifyDoor(template, "2026-10", OutboundClient(own_urls=(server.url,)))

            assert door.try_login(CLIENT, ACME, now=world.now).is_good

    def test_a_private_address_is_not_called(self, world):
        with FakeServer(world) as server:
            door = ShopifyDoor(f"{server.url}/shopify/{{shop}}", "2026-10", OutboundClient())

            assert door.try_login(FIXED, ACME, now=world.now).trouble is TroubleClass.SETUP_ERROR

        assert world.requests() == []

    def test_no_list_of_shops_is_to_be_had(self, world):
        assert "Say which one" in door_of(world).find_accounts(FIXED, now=world.now).problem
