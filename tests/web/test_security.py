"""What guards every answer and every form: headers, cookies, tokens, where a request came from."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.config import Settings
from app.core.db import Database
from app.edge.permissions import Access, declare
from app.factory import create_app
from app.tenants.models import User
from app.web.assets import AssetMissing, read_assets
from app.web.security import HEADERS
from tests.conftest import make_settings
from tests.factories.tenants import PASSWORD
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

PROFILE = {"name": "Olga the Second", "timezone": "Europe/Riga"}


def explode() -> str:
    raise RuntimeError("a secret detail")


@pytest.fixture
def app(app: Flask) -> Iterator[Flask]:
    app.add_url_rule("/explode", "explode", declare(explode, Access(is_public=True)))
    return app


def name_of(database: Database, browser: Browser) -> str:
    with database.reading() as session:
        return session.scalars(select(User.name).where(User.id == browser.user_id)).one()


class TestHeaders:
    @pytest.mark.parametrize(
        "path",
        ["/login", "/account", "/no-such-page", "/explode", "/static/app.css", "/static/none.css", "/healthz",
         "/readyz", "/logout", "/setup"],
    )  # fmt: skip
    def test_are_on_every_answer(self, owner: Browser, path: str) -> None:
        answer = owner.visit(path)

        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS

    def test_are_on_every_route(self, app: Flask, owner: Browser) -> None:
        plain = [rule.rule for rule in app.url_map.iter_rules() if not rule.arguments]

        bare = [path for path in plain if owner.visit(path).headers.get("X-Content-Type-Options") != "nosniff"]

        assert bare == []

    def test_let_scripts_and_styles_come_from_here_alone(self, anonymous: Browser) -> None:
        policy = anonymous.visit("/login").headers["Content-Security-Policy"]

        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy

    @pytest.mark.parametrize("path", ["/login", "/static/none.css"])
    def test_insist_on_tls_where_people_open_the_site_with_it(
        self, settings: Settings, database: Database, clock: ManualClock, path: str
    ) -> None:
        safe = replace(settings, public_url="https://belfry.example.com")
        app = create_app(safe, database=database, kinds={}, clock=clock)

        answer = app.test_client().get(path)

        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"

    def test_leave_a_plain_http_machine_alone(self, anonymous: Browser) -> None:
        assert "Strict-Transport-Security" not in anonymous.visit("/login").headers

    @pytest.mark.parametrize("path", ["/login", "/account", "/no-such-page", "/explode"])
    def test_keep_pages_out_of_caches(self, owner: Browser, path: str) -> None:
        answer = owner.visit(path)

        assert answer.headers["Cache-Control"] == "no-store"
        assert "HX-Request" in answer.headers["Vary"]


class TestStatic:
    def test_may_be_kept_for_good_at_the_address_of_its_content(self, app: Flask, anonymous: Browser) -> None:
        with app.test_request_context():
            address = app.jinja_env.globals["asset"]("app.css")

        answer = anonymous.visit(address)

        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.mimetype == "text/css"
        assert b"@layer" in answer.data

    @pytest.mark.parametrize("address", ["/static/app.js", "/static/app.js?v=old"])
    def test_is_asked_for_again_at_any_other_address(self, anonymous: Browser, address: str) -> None:
        answer = anonymous.visit(address)

        assert answer.headers["Cache-Control"] == "no-cache"
        assert anonymous.visit(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304

    @pytest.mark.parametrize("path", ["../pyproject.toml", "%2e%2e/pyproject.toml", "/etc/passwd", "css/../../x"])
    def test_serves_nothing_from_elsewhere(self, anonymous: Browser, path: str) -> None:
        assert anonymous.visit(f"/static/{path}").status_code in {308, 404}

    def test_stops_the_start_when_a_manifest_names_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        for kind in ("css", "js"):
            (tmp_path / kind).mkdir()
        (tmp_path / "css" / "manifest.txt").write_text("gone.css\n")

        with pytest.raises(AssetMissing, match=r"gone\.css"):
            read_assets(tmp_path)

    def test_stops_the_start_without_a_manifest(self, tmp_path: Path) -> None:
        with pytest.raises(AssetMissing, match=r"manifest\.txt"):
            read_assets(tmp_path)


class TestCookie:
    def test_is_bound_to_this_host_and_tls_in_production(
        self, settings: Settings, database: Database, clock: ManualClock
    ) -> None:
        safe = replace(settings, public_url="https://belfry.example.com")
        app = create_app(safe, database=database, kinds={}, clock=clock)

        cookie = app.test_client().get("/login").headers["Set-Cookie"]

        assert cookie.startswith("__Host-belfry=")
        assert all(part in cookie for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"))
        assert "Domain" not in cookie

    def test_is_strict_in_production_whatever_the_address_says(self, tmp_path: Path) -> None:
        settings = make_settings(tmp_path, BELFRY_ENV="production")
        app = create_app(settings, kinds={})

        assert app.config["SESSION_COOKIE_SECURE"] is True

    def test_works_on_a_plain_http_machine(self, anonymous: Browser) -> None:
        assert anonymous.visit("/login").headers["Set-Cookie"].startswith("belfry=")


class TestAnotherSite:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://localhost.evil.example"},
        ],
    )
    def test_cannot_send_forms_in_a_persons_name(
        self, owner: Browser, database: Database, headers: dict[str, str]
    ) -> None:
        answer = owner.send("/account", PROFILE, headers=headers)

        assert answer.status_code == 403
        assert "Olga the Second" not in answer.text
        assert name_of(database, owner) == "Olga"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "same-origin"},
            {"Origin": "http://localhost"},
            {"Origin": "http://127.0.0.1:8000"},
            {"Sec-Fetch-Site": "none"},
        ],
    )
    def test_is_not_this_one(self, owner: Browser, headers: dict[str, str]) -> None:
        assert owner.send("/account", PROFILE, headers=headers).status_code == 303

    def test_may_link_to_pages(self, owner: Browser) -> None:
        assert owner.visit("/account", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


class TestToken:
    @pytest.mark.parametrize("token", ["", "wrong", "x.y.z"])
    def test_is_needed_by_every_form(self, app: Flask, platform_admin: Browser, token: str) -> None:
        actions = [
            rule.rule
            for rule in app.url_map.iter_rules()
            if "POST" in rule.methods and rule.endpoint.startswith("web.") and not rule.arguments
        ]

        statuses = {path: platform_admin.post(path, data={"csrf_token": token}).status_code for path in actions}

        assert statuses == dict.fromkeys(actions, 400)

    def test_may_come_in_the_header_that_htmx_sends(self, owner: Browser) -> None:
        headers = {"X-CSRF-Token": owner.csrf_token}

        assert owner.post("/account", data=PROFILE, headers=headers).status_code == 303


class TestExpiredForm:
    def test_is_shown_again_with_what_was_typed(self, owner: Browser, database: Database) -> None:
        answer = owner.post("/account", data={**PROFILE, "csrf_token": "old"})

        assert answer.status_code == 400
        assert 'name="name" value="Olga the Second"' in answer.text
        assert "Send again" in answer.text
        assert name_of(database, owner) == "Olga"

    def test_says_that_browsers_keep_the_cookie_back_without_https(
        self, settings: Settings, database: Database, clock: ManualClock
    ) -> None:
        safe = replace(settings, public_url="https://belfry.example.com")
        app = create_app(safe, database=database, kinds={}, clock=clock)

        answer = app.test_client(use_cookies=False).post("/login", data={"email": "grace@example.com"})

        assert answer.status_code == 400
        assert "Signing in needs https here" in answer.text

    def test_can_be_sent_again_from_there(self, owner: Browser, database: Database) -> None:
        page = owner.post("/account", data={**PROFILE, "csrf_token": "old"}).text
        fresh = page.split('name="csrf_token" value="')[1].split('"')[0]

        owner.post("/account", data={**PROFILE, "csrf_token": fresh})

        assert name_of(database, owner) == "Olga the Second"

    def test_never_echoes_a_password(self, owner: Browser) -> None:
        form = {"csrf_token": "old", "current_password": "hunter-one", "new_password": "hunter-two"}

        assert "hunter-" not in owner.post("/account/password", data=form).text

    def test_gives_htmx_a_fragment_and_a_fresh_token(self, owner: Browser) -> None:
        headers = {"HX-Request": "true", "X-CSRF-Token": "old"}

        answer = owner.post("/account", data=PROFILE, headers=headers)
        again = owner.post("/account", data=PROFILE, headers=headers | {"X-CSRF-Token": answer.headers["X-CSRF-Token"]})

        assert answer.status_code == 400
        assert "data-toast=" in answer.text
        assert "<html" not in answer.text
        assert again.status_code == 200

    def test_escapes_what_was_typed(self, owner: Browser) -> None:
        answer = owner.post("/account", data={"name": '"><script>alert(1)</script>', "csrf_token": "old"})

        assert "<script>alert" not in answer.text


class TestExpiredFormWithAPassword:
    MESSAGE = "This page was open too long. Type your password and send it again."

    @pytest.mark.parametrize("path", ["/login", "/setup"])
    def test_is_shown_again_itself(self, anonymous: Browser, path: str) -> None:
        form = {"csrf_token": "old", "name": "Grace", "email": "grace@example.com", "password": "hunter-one"}

        answer = anonymous.post(path, data=form)

        assert answer.status_code == 400
        assert self.MESSAGE in answer.text
        assert 'value="grace@example.com"' in answer.text
        assert "hunter-one" not in answer.text

    def test_can_be_sent_again_from_there(self, owner: Browser, anonymous: Browser) -> None:
        form = {"email": "owner@example.com", "password": PASSWORD}
        page = anonymous.post("/login", data={**form, "csrf_token": "old"}).text
        fresh = page.split('name="csrf_token" value="')[1].split('"')[0]

        answer = anonymous.post("/login", data={**form, "csrf_token": fresh})

        assert answer.status_code == 303

    def test_of_a_new_password_keeps_the_profile_beside_it(self, owner: Browser) -> None:
        form = {"csrf_token": "old", "current_password": "hunter-one", "new_password": "hunter-two"}

        answer = owner.post("/account/password", data=form)

        assert answer.status_code == 400
        assert self.MESSAGE in answer.text
        assert 'value="Olga"' in answer.text


class TestLostSession:
    @pytest.fixture
    def lost(self, owner: Browser, clock: ManualClock) -> Browser:
        clock.advance(days=8)
        return owner

    def test_leads_a_page_to_sign_in_and_back(self, lost: Browser) -> None:
        answer = lost.visit("/account?tab=2")

        assert (answer.status_code, answer.location) == (302, "/login?next=/account?tab%3D2")

    def test_leads_htmx_there_by_header_with_the_page_it_is_on(self, lost: Browser) -> None:
        answer = lost.visit("/account", htmx=True)

        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"] == "/login?next=/account?tab%3D1"

    def test_keeps_what_was_typed_into_a_form(self, lost: Browser, database: Database) -> None:
        answer = lost.send("/account", PROFILE)

        assert answer.status_code == 401
        assert 'value="Olga the Second"' in answer.text
        assert 'target="_blank"' in answer.text
        assert name_of(database, lost) == "Olga"

    def test_tells_whoever_signed_in_meanwhile_to_press_once_more(
        self, lost: Browser, database: Database, clock: ManualClock
    ) -> None:
        refused = lost.send("/account", PROFILE).text
        stale = refused.split('name="csrf_token" value="')[1].split('"')[0]
        lost.sign_in(email="owner@example.com")

        second = lost.post("/account", data={**PROFILE, "csrf_token": stale})
        fresh = second.text.split('name="csrf_token" value="')[1].split('"')[0]
        lost.post("/account", data={**PROFILE, "csrf_token": fresh})

        assert second.status_code == 400
        assert "You are signed in now, and see Northwind. Press “Send again” once more to save it there." in second.text
        assert name_of(database, lost) == "Olga the Second"

    def test_tells_htmx_in_a_fragment(self, lost: Browser, database: Database) -> None:
        answer = lost.send("/account", PROFILE, htmx=True)

        assert answer.status_code == 401
        assert "You were signed out." in answer.text
        assert "<html" not in answer.text
        assert "HX-Redirect" not in answer.headers

    def test_comes_before_the_token(self, anonymous: Browser) -> None:
        assert anonymous.post("/account", data=PROFILE).status_code == 401
