"""Signing in: who gets in, how often one may try, and where it leads."""

from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import Select, select, update

from app.core.config import Settings
from app.core.db import Database
from app.factory import create_app
from app.tenants.models import AuditEntry, LoginSession, SignInFailure, User
from app.tenants.passwords import verify_password
from tests.factories.tenants import PASSWORD, make_member
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

WRONG = "Email or password is wrong."


@pytest.fixture
def ada(database: Database) -> str:
    with database.transaction() as session:
        return make_member(session, email="ada@example.com", name="Ada").email


def rows(database: Database, query: Select[Any]) -> list[Any]:
    with database.reading() as session:
        return list(session.scalars(query))


class TestSignIn:
    def test_opens_the_pages_and_remembers_only_a_digest(
        self, anonymous: Browser, ada: str, database: Database
    ) -> None:
        answer = anonymous.sign_in()

        with anonymous.session_transaction() as cookie:
            token = cookie["_user_id"]
        assert (answer.status_code, answer.location) == (303, "/")
        assert "Ada" in anonymous.visit("/account").text
        assert token not in [row.token_digest for row in rows(database, select(LoginSession))]

    def test_takes_the_address_in_any_case(self, anonymous: Browser, ada: str) -> None:
        assert anonymous.sign_in(email=" ADA@Example.com ").status_code == 303

    def test_says_the_same_for_a_wrong_password_and_an_unknown_address(self, anonymous: Browser, ada: str) -> None:
        wrong = anonymous.sign_in("not-this-one")
        unknown = anonymous.sign_in("not-this-one", email="bob@example.com")

        assert wrong.status_code == unknown.status_code == 422
        assert WRONG in wrong.text
        assert WRONG in unknown.text

    def test_never_puts_the_password_back_into_the_page(self, anonymous: Browser, ada: str) -> None:
        answer = anonymous.sign_in("not-this-one")

        assert "not-this-one" not in answer.text
        assert 'value="ada@example.com"' in answer.text

    def test_forgets_what_the_cookie_held_before(self, anonymous: Browser, ada: str) -> None:
        with anonymous.session_transaction() as cookie:
            cookie["planted"] = "by somebody"
        before = anonymous.csrf_token

        anonymous.sign_in()

        with anonymous.session_transaction() as cookie:
            assert "planted" not in cookie
        assert anonymous.post("/logout", data={"csrf_token": before}).status_code == 400

    def test_ends_the_session_that_the_browser_had(self, owner: Browser, ada: str, database: Database) -> None:
        owner.sign_in()

        owners = select(LoginSession).where(LoginSession.user_id == owner.user_id)
        assert rows(database, owners) == []

    def test_is_in_the_audit(self, anonymous: Browser, ada: str, database: Database) -> None:
        anonymous.sign_in()

        assert rows(database, select(AuditEntry.action)) == ["account.signed_in"]

    def test_is_refused_to_a_disabled_user(
        self, anonymous: Browser, ada: str, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            session.execute(update(User).values(disabled_at=clock.moment))

        assert WRONG in anonymous.sign_in().text

    def test_gives_the_cookie_to_scripts_and_other_sites_neither(self, anonymous: Browser, ada: str) -> None:
        cookie = anonymous.sign_in().headers["Set-Cookie"]

        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

    def test_leads_back_to_where_the_person_wanted_to_go(self, anonymous: Browser, ada: str) -> None:
        form = anonymous.visit("/login?next=/account?tab%3D2")

        assert 'value="/account?tab=2"' in form.text
        assert anonymous.sign_in(next="/account?tab=2").location == "/account?tab=2"

    def test_makes_better_hashes_of_old_ones(self, anonymous: Browser, ada: str, database: Database) -> None:
        weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        with database.transaction() as session:
            session.execute(update(User).values(password_hash=weak))

        anonymous.sign_in()

        (stored,) = rows(database, select(User.password_hash))
        assert "m=19456,t=2,p=1" in stored
        assert verify_password(stored, PASSWORD)


class TestThrottling:
    def test_stops_a_guesser_after_five_tries_and_says_how_long(
        self, anonymous: Browser, ada: str, clock: ManualClock
    ) -> None:
        for _ in range(5):
            anonymous.sign_in("wrong-guess")
            clock.advance(minutes=1)

        answer = anonymous.sign_in()

        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "600")
        assert "Too many tries. Try again in 10 min." in answer.text

    def test_lets_the_person_in_when_the_time_is_over(self, anonymous: Browser, ada: str, clock: ManualClock) -> None:
        for _ in range(6):
            anonymous.sign_in("wrong-guess")

        clock.advance(minutes=15)

        assert anonymous.sign_in().status_code == 303

    def test_says_the_same_about_an_account_that_does_not_exist(self, anonymous: Browser) -> None:
        for _ in range(5):
            anonymous.sign_in("wrong-guess", email="nobody@example.com")

        answer = anonymous.sign_in("wrong-guess", email="nobody@example.com")

        assert "Too many tries. Try again in 15 min." in answer.text

    def test_does_not_keep_the_owner_out_elsewhere(self, anonymous: Browser, ada: str) -> None:
        for _ in range(6):
            anonymous.sign_in("wrong-guess", address="198.51.100.1")

        assert anonymous.sign_in(address="203.0.113.7").status_code == 303

    def test_lets_others_in_behind_the_same_address(self, anonymous: Browser, ada: str) -> None:
        for number in range(20):
            anonymous.sign_in("wrong-guess", email=f"{number}@example.com")

        assert anonymous.sign_in().status_code == 303

    def test_lets_the_owner_in_while_many_places_guess(self, anonymous: Browser, ada: str, clock: ManualClock) -> None:
        for number in range(20):
            anonymous.sign_in("wrong-guess", address=f"198.51.100.{number}")
        refused = anonymous.sign_in()
        clock.advance(seconds=int(refused.headers["Retry-After"]))

        assert refused.status_code == 429
        assert anonymous.sign_in().status_code == 303

    def test_ignores_an_address_that_a_header_claims(self, anonymous: Browser, ada: str) -> None:
        answers = [
            anonymous.send(
                "/login",
                {"email": "ada@example.com", "password": "wrong-guess"},
                headers={"X-Forwarded-For": f"198.51.100.{number}"},
            )
            for number in range(6)
        ]

        assert answers[-1].status_code == 429

    def test_forgets_the_tries_of_a_person_who_then_remembers(
        self, anonymous: Browser, ada: str, database: Database
    ) -> None:
        anonymous.sign_in("wrong-guess")

        anonymous.sign_in()

        assert rows(database, select(SignInFailure)) == []


class TestTrustedProxies:
    @pytest.fixture
    def proxied(self, settings: Settings, database: Database, clock: ManualClock) -> Flask:
        return create_app(replace(settings, trusted_proxies=1), database=database, kinds={}, clock=clock)

    def remembered(self, app: Flask, database: Database, header: str) -> list[str]:
        form = {"email": "ada@example.com", "password": "wrong-guess"}
        Browser(app, app.response_class, use_cookies=True).send("/login", form, headers={"X-Forwarded-For": header})
        return rows(database, select(SignInFailure.address))

    def test_say_who_calls(self, proxied: Flask, ada: str, database: Database) -> None:
        assert self.remembered(proxied, database, "203.0.113.9") == ["203.0.113.9"]

    def test_are_believed_only_in_what_they_wrote_themselves(
        self, proxied: Flask, ada: str, database: Database
    ) -> None:
        assert self.remembered(proxied, database, "198.51.100.1, 203.0.113.9") == ["203.0.113.9"]

    def test_are_none_unless_the_operator_says_so(self, app: Flask, ada: str, database: Database) -> None:
        assert self.remembered(app, database, "203.0.113.9") == ["127.0.0.1"]


class TestNext:
    @pytest.mark.parametrize(
        "wanted",
        [
            "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\\/evil.example",
            "https://evil.example", "http:evil.example", "https:/evil.example", "javascript:alert(1)",
            "data:text/html,x", "evil.example", "@evil.example", ".evil.example", "./x", "../x", "", " ", "?x", "#x",
            "/%2f%2fevil.example", "/%2fevil.example", "/%5cevil.example", "/%5Cevil.example", "%2f%2fevil.example",
            "/%252fevil.example", "/%255cevil.example", "/\t/evil.example", "\t//evil.example", "/\n/evil.example",
            "/\r\n/evil.example", "/\x00/evil.example", "/%09/evil.example", "/%0a/evil.example",
            "/%0d%0aSet-Cookie:a=b", "/a//evil.example", "/.//evil.example",
            "/..//evil.example", "/a/..//evil.example", "/ /evil.example",
            "/\u2028/evil.example", "/\uff0fevil.example", "\uff0f\uff0fevil.example", "/\u3002evil.example",
            "//evil.example@localhost", "//localhost@evil.example", "//[::1]", "///", "//", "http://", "https:///evil",
            "/login", "/login/", "/login?next=/x", "/logout", "/setup?token=x", "/\x7f", "/" + "a" * 3000, "ftp://evil",
            "file:///etc/passwd", "//%65vil.example", "/%00", "mailto:a@b", "blob:https://evil", "HTTPS://evil.example",
        ],
    )  # fmt: skip
    def test_leads_to_the_overview_instead_of_away(self, anonymous: Browser, ada: str, wanted: str) -> None:
        assert anonymous.sign_in(next=wanted).location == "/"

    @pytest.mark.parametrize("wanted", ["/account", "/runs?state=failed&page=2", "/schedules/12/edit#when", "/a?u=//b"])
    def test_leads_to_pages_of_ours(self, anonymous: Browser, ada: str, wanted: str) -> None:
        assert anonymous.sign_in(next=wanted).location == wanted
