"""What connecting a shop asks for: which shop, and one of three ways to sign in."""

import json

import pytest

from app.core.service_urls import own_shop_urls, shop_address, shop_template
from app.syncs.signs.shopify import SHOPIFY_SIGN, clean_shop
from app.syncs.signs.shopify_logins import LoginWay, clean_login, hint_of_login, read_login
from app.syncs.signs.sign import AccountIdInvalid, SecretInvalid
from tests.fakes.clock import utc
from tests.fakes.providers.shopify.scenarios import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TOKEN

NOW = utc("2026-11-20 12:00")
APP = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class TestWhichShop:
    @pytest.mark.parametrize(
        "text", ["acme.myshopify.com", " Acme.MyShopify.com ", "https://acme.myshopify.com", "https://acme.myshopify.com/"]
    )  # fmt: skip
    def test_is_said_by_its_address(self, text):
        assert clean_shop(text) == "acme.myshopify.com"

    @pytest.mark.parametrize(
        "text",
        [
            "", "acme", "acme.com", "evil.com/x", "evil.com/acme.myshopify.com", "acme.myshopify.com/admin",
            "acme.myshopify.com@evil.com", "evil@acme.myshopify.com", "acme.myshopify.com:8443", "acme.myshopify.com.",
            "acme.myshopify.com.evil.com", "acme.myshopify.com#x", "acme.myshopify.com?x=1", "-acme.myshopify.com",
            "a.b.myshopify.com", "acmé.myshopify.com", "acme.myshopify.com\n.evil.com", "acme\u3002myshopify.com",
            "\u212acme.myshopify.com", "http://acme.myshopify.com", "https://https://acme.myshopify.com",
            "169.254.169.254", "localhost", "[::1]", "a" * 101 + ".myshopify.com", "%61cme.myshopify.com",
            "acme_shop.myshopify.com", "acme.myshopify.com//", "\\\\evil.myshopify.com", "acme .myshopify.com",
        ],
    )  # fmt: skip
    def test_and_by_nothing_else(self, text):
        with pytest.raises(AccountIdInvalid, match=r"such as acme\.myshopify\.com") as refused:
            clean_shop(text)

        assert refused.value.field == "account_id"


class TestWhatSignsIn:
    def test_a_fixed_token(self):
        login = read_login(clean_login(f"  {TOKEN}\n"))

        assert (login.way, login.access_token) == (LoginWay.TOKEN, TOKEN)
        assert login.good_token(NOW) == TOKEN

    @pytest.mark.parametrize("name", ["token", "access_token"])
    def test_a_fixed_token_as_json(self, name):
        assert clean_login(json.dumps({name: TOKEN, "client_id": ""})) == clean_login(TOKEN)

    def test_the_credentials_of_an_app(self):
        login = read_login(clean_login(json.dumps(APP)))

        assert login.way is LoginWay.CLIENT
        assert login.good_token(NOW) is None

    def test_a_refresh_token(self):
        login = read_login(clean_login(json.dumps(APP | {"refresh_token": REFRESH_TOKEN})))

        assert login.way is LoginWay.REFRESH
        assert set(login.secrets) == {CLIENT_SECRET, REFRESH_TOKEN}

    def test_a_token_with_an_end_is_good_until_some_minutes_before_it(self):
        said = APP | {"refresh_token": REFRESH_TOKEN, "access_token": TOKEN, "ends_at": "2026-11-20T13:00:00+00:00"}
        login = read_login(clean_login(json.dumps(said)))

        assert login.good_token(utc("2026-11-20 12:49")) == TOKEN
        assert login.good_token(utc("2026-11-20 12:50")) is None

    @pytest.mark.parametrize("said", [TOKEN, json.dumps(APP), json.dumps(APP | {"refresh_token": REFRESH_TOKEN})])
    def test_what_is_clean_stays_as_it_is(self, said):
        assert clean_login(clean_login(said)) == clean_login(said)

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ("", "Give what signs in"),
            ("two words", "This is no access token"),
            ("shpät", "This is no access token"),
            ("x" * 5_000, "This is no access token"),
            ("x" * 20_000, "too long"),
            ("{", "neither a token nor JSON"),
            ("[" * 9_000, "This is no access token"),
            ("{" * 9_000, "neither a token nor JSON"),
            ("{}", "Give an access token"),
            ({"token": ["a"]}, "This is no access token"),
            ({"token": 7}, "This is no access token"),
            ({"client_id": CLIENT_ID}, "client secret of the app is missing"),
            ({"client_secret": CLIENT_SECRET}, "client ID of the app is missing"),
            ({"refresh_token": REFRESH_TOKEN}, "together with the client ID"),
            ({"refresh_token": REFRESH_TOKEN, "client_id": CLIENT_ID}, "together with the client ID"),
            (APP | {"password": "x"}, "has no “password”"),
            (APP | {"ends_at": "tomorrow"}, "is a moment"),
            (APP | {"ends_at": "2026-11-20T12:00:00"}, "is a moment"),
            ("shpss_0123456789", "the secret of an app"),
            ("shprt_0123456789", "together with the client ID"),
        ],
    )
    def test_what_can_be_none_is_refused_without_repeating_it(self, said, words):
        with pytest.raises(SecretInvalid, match=words) as refused:
            clean_login(said if isinstance(said, str) else json.dumps(said))

        assert refused.value.field == "token"
        assert CLIENT_SECRET not in refused.value.message
        assert REFRESH_TOKEN not in refused.value.message

    def test_shows_the_last_letters_of_what_stays(self):
        assert hint_of_login(clean_login(TOKEN)) == TOKEN[-4:]
        assert hint_of_login(clean_login(json.dumps(APP | {"refresh_token": REFRESH_TOKEN}))) == CLIENT_SECRET[-4:]
        assert hint_of_login(clean_login("shpat_short")) is None

    def test_is_in_no_trace(self):
        shown = repr(read_login(clean_login(json.dumps(APP | {"refresh_token": REFRESH_TOKEN, "token": TOKEN}))))

        assert not any(secret in shown for secret in (CLIENT_SECRET, REFRESH_TOKEN, TOKEN))

    def test_the_form_asks_for_what_each_way_needs(self):
        fields = {kind.value: [field.name for field in kind.fields] for kind in SHOPIFY_SIGN.kinds}

        assert fields == {
            "client_credentials": ["client_id", "client_secret"],
            "token": ["access_token"],
            "refresh": ["client_id", "client_secret", "refresh_token"],
        }


class TestWhereShopsAnswer:
    @pytest.mark.parametrize(
        ("template", "address", "own"),
        [
            ("https://{shop}", "https://acme.myshopify.com", False),
            ("http://127.0.0.1:8100/shopify/{shop}/", "http://127.0.0.1:8100/shopify/acme.myshopify.com", True),
        ],
    )
    def test_follows_from_the_setting(self, template, address, own):
        checked = shop_template(template)

        assert shop_address(checked, "acme.myshopify.com") == address
        assert bool(own_shop_urls(checked)) is own

    @pytest.mark.parametrize(
        "template",
        [
            "https://example.com", "http://{shop}", "http://10.0.0.7/{shop}", "https://{shop}.example.com",
            "https://user@{shop}", "https://{shop}/{shop}", "https://{shop}?x=1", "https://{store}", "{shop}",
            "https://example.com/x{shop}",
        ],
    )  # fmt: skip
    def test_other_templates_are_refused(self, template):
        with pytest.raises(Exception):  # noqa: B017 - whatever it is, the settings say which one is wrong
            shop_template(template)
