"""Connecting shops on the pages, with the fake of Shopify behind them: three ways to sign in, without JavaScript."""

import html
import re
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.config import Settings
from app.core.db import Base, Database
from app.edge.runtime import EXTENSION
from app.ops.login_desk import LoginDesk
from app.schedules.defaults import give_default_schedules
from app.syncs.logins import TOKEN as FIELD
from app.syncs.models import Connection
from app.syncs.signs.shopify_logins import ShopLogin, read_login
from app.vault.service import SecretOwner, open_secret
from tests.fakes.clock import ManualClock
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.scenarios import (
    ACME,
    CLIENT_ID,
    CLIENT_SECRET,
    NIPPON,
    OTHER_TOKEN,
    REFRESH_TOKEN,
    SECRETS,
    TOKEN,
)
from tests.fakes.providers.world import World
from tests.fakes.service_settings import with_services
from tests.web.conftest import Browser

NEW = "/connections/new/shopify"
FIXED = {"token_access_token": TOKEN}
CLIENT = {"client_credentials_client_id": CLIENT_ID, "client_credentials_client_secret": CLIENT_SECRET}
REFRESH = {
    "refresh_client_id": CLIENT_ID,
    "refresh_client_secret": CLIENT_SECRET,
    "refresh_refresh_token": REFRESH_TOKEN,
}


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(ShopifyFake(), now=clock.moment)


@pytest.fixture(autouse=True)
def desk(app: Flask, settings: Settings, database: Database, world: World) -> LoginDesk:
    told = with_services(settings, shopify_base_url_template=f"{BASE}/shopify/{{shop}}")
    found = LoginDesk(told, database, lambda: InsideClient(world))
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], logins=found, settings=found.settings)
    return found


@pytest.fixture(autouse=True)
def defaults(database: Database, organization_id: UUID, clock: ManualClock) -> None:
    with database.transaction() as session:
        give_default_schedules(session, organization_id=organization_id, now=clock.moment)


def connected(browser: Browser, login: dict[str, str] = FIXED, shop: str = ACME) -> str:
    answer = browser.send(NEW, login | {"account_id": shop, "name": "Acme"})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def text_of(answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def row(database: Database) -> Connection:
    with database.transaction() as session:
        return session.scalars(select(Connection).where(Connection.service == "shopify")).one()


def login_of(database: Database, desk: LoginDesk) -> ShopLogin:
    made = row(database)
    with database.transaction() as session:
        owner = SecretOwner.connection(made.organization_id, made.id)
        return read_login(open_secret(session, sealer=desk.sealer, owner=owner, secret_id=made.secret_id, field=FIELD))


class TestTheForm:
    def test_offers_three_ways_and_unfolds_the_first(self, admin):
        page = admin.visit(NEW).text

        assert re.findall(r'<details class="section" name="way" (open)?>', page) == ["open", "", ""]
        assert "read_all_orders" in page
        assert "An app of your own organization" in page
        assert 'type="password"' in page

    @pytest.mark.parametrize("login", [FIXED, CLIENT, REFRESH])
    def test_connects_with_each(self, admin, login):
        page = text_of(admin.visit(connected(admin, login)))

        assert "Read 1 order from Acme =cmd 🏖️: ok" in page
        assert "Nothing reads from it by itself yet." in page
        assert "Enable Shopify sync…" in page

    def test_shows_no_secret_of_any_way(self, admin):
        answer = admin.send(NEW, REFRESH | {"account_id": "evil.com/x"})

        assert answer.status_code == 422
        assert not any(secret in answer.text for secret in SECRETS)
        assert CLIENT_ID in answer.text

    def test_unfolds_the_way_that_was_used(self, admin):
        page = admin.send(NEW, REFRESH | {"account_id": "evil.com/x"}).text

        assert re.findall(r'<details class="section" name="way" (open)?>', page) == ["", "", "open"]

    @pytest.mark.parametrize(
        "shop", ["evil.com/x", "acme.myshopify.com@evil.com", "acme.myshopify.com:99", "acmé.myshopify.com", ""]
    )
    def test_refuses_what_is_no_shop(self, admin, world, shop):
        answer = admin.send(NEW, FIXED | {"account_id": shop})

        assert answer.status_code == 422
        assert "such as acme.myshopify.com" in text_of(answer)
        assert world.asked == []

    def test_refuses_two_ways_at_once(self, admin, world):
        answer = admin.send(NEW, FIXED | CLIENT | {"account_id": ACME})

        assert answer.status_code == 422
        assert "Fill in one way to sign in alone" in text_of(answer)
        assert world.asked == []

    @pytest.mark.parametrize(
        ("login", "words"),
        [
            ({}, "Give what signs in to the shop"),
            ({"client_credentials_client_id": CLIENT_ID}, "client secret of the app is missing"),
            ({"refresh_refresh_token": REFRESH_TOKEN}, "together with the client ID"),
            ({"token_access_token": "two words"}, "This is no access token"),
        ],
    )
    def test_says_what_is_missing(self, admin, world, login, words):
        answer = admin.send(NEW, login | {"account_id": ACME})

        assert answer.status_code == 422
        assert words in text_of(answer)
        assert world.asked == []

    def test_keeps_the_login_while_the_rest_is_put_right(self, admin, database):
        page = admin.send(NEW, CLIENT | {"account_id": "evil.com/x"}).text
        kept = re.search(r'name="kept"[^>]*value="([^"]+)"', page)

        # As a browser sends it: what is no secret is in its field still.
        typed = {"client_credentials_client_id": CLIENT_ID, "client_credentials_client_secret": ""}
        answer = admin.send(NEW, typed | {"kept": html.unescape(kept[1]), "account_id": ACME})

        assert answer.status_code == 303
        assert row(database).account_id == ACME

    def test_keeps_what_a_refresh_token_became_by_the_test(self, admin, world, database, desk):
        """Its first test renews it and fails for another reason: the second one needs what it is now."""
        world.fail("shopify", "account_state", match={"route": "shop"})
        page = admin.send(NEW, REFRESH | {"account_id": ACME}).text
        kept = re.search(r'name="kept"[^>]*value="([^"]+)"', page)

        answer = admin.send(NEW, {"kept": html.unescape(kept[1]), "account_id": ACME})

        assert answer.status_code == 303
        newest = world.provider("shopify").state.apps[CLIENT_ID].refresh_token
        assert login_of(database, desk).refresh_token == newest

    def test_says_that_sixty_days_are_seen(self, admin):
        page = text_of(admin.visit(connected(admin, {"token_access_token": OTHER_TOKEN})))

        assert "orders of the last 60 days alone" in page

    def test_is_for_admins(self, operator):
        assert operator.visit(NEW).status_code == 403


class TestTheConnection:
    def test_of_a_refresh_token_seals_the_renewed_one_and_knows_its_end(self, admin, world, database, desk):
        connected(admin, REFRESH)

        login = login_of(database, desk)
        assert login.refresh_token == world.provider("shopify").state.apps[CLIENT_ID].refresh_token
        assert row(database).expires_at == login.refresh_ends_at

    def test_of_a_fixed_token_has_no_end(self, admin, database, clock):
        connected(admin)

        assert (row(database).expires_at, row(database).expiry_known_at) == (None, clock.moment)

    def test_is_tested_without_a_renewal_while_the_token_is_good(self, admin, world):
        here = connected(admin, REFRESH)
        answer = admin.send(f"{here}/test", {})

        assert answer.status_code == 303
        assert len(world.requests("access_token")) == 1

    def test_is_renewed_by_a_test_and_stored(self, admin, world, database, desk, clock):
        here = connected(admin, REFRESH)
        before = login_of(database, desk)
        clock.advance(minutes=55)
        world.advance(minutes=55)

        assert admin.send(f"{here}/test", {}).status_code == 303

        assert login_of(database, desk).refresh_token != before.refresh_token
        assert "Renewed a login" in text_of(admin.visit("/audit"))

    def test_takes_another_way_to_sign_in(self, admin, database, desk):
        here = connected(admin, REFRESH)

        answer = admin.send(f"{here}/login", CLIENT)

        assert answer.status_code == 303
        assert (login_of(database, desk).refresh_token, row(database).expires_at) == (None, None)

    def test_refuses_a_login_of_nobody_and_keeps_the_one_it_has(self, admin, database, desk):
        here = connected(admin)

        answer = admin.send(f"{here}/login", {"token_access_token": "shpatOfNobodyAtAll0123456789"})

        assert answer.status_code == 422
        assert "no longer accepts the access token" in text_of(answer)
        assert login_of(database, desk).access_token == TOKEN

    def test_may_be_one_of_several_shops(self, admin):
        connected(admin)
        answer = admin.send(NEW, FIXED | {"account_id": NIPPON, "name": "Nippon"})

        assert answer.status_code == 303
        assert admin.send(NEW, FIXED | {"account_id": ACME.upper(), "name": "Again"}).status_code == 409

    def test_leaves_no_secret_in_any_table(self, admin, database, world):
        connected(admin, REFRESH)
        newest = world.provider("shopify").state.apps[CLIENT_ID].refresh_token

        with database.transaction() as session:
            for table in Base.metadata.sorted_tables:
                said = str([tuple(each) for each in session.execute(select(table))])
                assert not any(secret in said for secret in (*SECRETS, newest)), table.name
