"""One's own account and session, as a browser sees them."""

from typing import Any

from flask import Flask
from sqlalchemy import Select, select, update

from app.core.db import Database
from app.tenants.models import AuditEntry, LoginSession, User
from tests.factories.tenants import PASSWORD
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser


def rows(database: Database, query: Select[Any]) -> list[Any]:
    with database.reading() as session:
        return list(session.scalars(query))


class TestSignOut:
    def test_makes_a_copied_cookie_worthless(self, owner: Browser) -> None:
        with owner.session_transaction() as cookie:
            copied = dict(cookie)
        owner.send("/logout")

        with owner.session_transaction() as cookie:
            cookie.update(copied)

        assert owner.visit("/account").status_code == 302

    def test_leads_to_the_sign_in_page_and_says_so(self, owner: Browser) -> None:
        answer = owner.send("/logout")

        assert answer.location == "/login"
        assert "You are signed out." in owner.visit("/login").text

    def test_does_not_mind_being_asked_twice(self, owner: Browser) -> None:
        owner.send("/logout")

        assert owner.send("/logout").status_code == 303


class TestSession:
    def test_ends_for_a_user_who_is_disabled(self, owner: Browser, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            session.execute(update(User).values(disabled_at=clock.moment))

        assert owner.visit("/account").status_code == 302

    def test_ends_after_a_week_away(self, owner: Browser, clock: ManualClock) -> None:
        clock.advance(days=7)

        assert owner.visit("/account").status_code == 302

    def test_lives_on_while_it_is_used_but_no_longer_than_a_month(self, owner: Browser, clock: ManualClock) -> None:
        statuses = []
        for _ in range(6):
            clock.advance(days=5)
            statuses.append(owner.visit("/account").status_code)

        assert statuses == [200, 200, 200, 200, 200, 302]

    def test_is_noted_as_seen_at_most_once_a_minute(
        self, owner: Browser, database: Database, clock: ManualClock
    ) -> None:
        start = clock.moment
        seen = []
        for _ in range(3):
            clock.advance(seconds=30)
            owner.visit("/account")
            seen.append((rows(database, select(LoginSession.seen_at))[0] - start).seconds)

        assert seen == [0, 60, 60]


class TestProfile:
    def test_shows_the_person(self, owner: Browser) -> None:
        text = owner.visit("/account").text

        assert "owner@example.com" in text
        assert 'value="Olga"' in text
        assert '<option selected value="Europe/Riga">' in text

    def test_can_be_changed(self, owner: Browser, database: Database) -> None:
        answer = owner.send("/account", {"name": "Olga B.", "timezone": "America/New_York"})

        assert (answer.status_code, answer.location) == (303, "/account")
        assert "Profile saved." in owner.visit("/account").text
        entry = rows(database, select(AuditEntry).where(AuditEntry.action == "account.profile_changed"))[0]
        assert entry.changes == {"name": ["Olga", "Olga B."], "timezone": ["Europe/Riga", "America/New_York"]}

    def test_refuses_a_zone_that_does_not_exist(self, owner: Browser) -> None:
        answer = owner.send("/account", {"name": "Olga", "timezone": "Mars/Olympus"})

        assert answer.status_code == 422
        assert "Choose a time zone from the list" in answer.text

    def test_does_not_mix_its_two_forms_up(self, owner: Browser) -> None:
        answer = owner.send("/account/password", {"current_password": "", "new_password": ""})

        assert "Enter your current password." in answer.text
        assert 'value="Olga"' in answer.text
        assert "Enter your name." not in answer.text


class TestChangingThePassword:
    NEW = "another-harbour-43"

    def test_signs_every_other_browser_out(self, owner: Browser, app: Flask) -> None:
        other = app.test_client()
        other.sign_in(email="owner@example.com")

        answer = owner.send("/account/password", {"current_password": PASSWORD, "new_password": self.NEW})

        assert answer.status_code == 303
        assert owner.visit("/account").status_code == 200
        assert other.visit("/account").status_code == 302

    def test_takes_effect(self, owner: Browser, anonymous: Browser) -> None:
        owner.send("/account/password", {"current_password": PASSWORD, "new_password": self.NEW})

        assert anonymous.sign_in(email="owner@example.com").status_code == 422
        assert anonymous.sign_in(self.NEW, email="owner@example.com").status_code == 303

    def test_needs_the_current_one(self, owner: Browser) -> None:
        answer = owner.send("/account/password", {"current_password": "a guess", "new_password": self.NEW})

        assert answer.status_code == 422
        assert "This is not your current password." in answer.text

    def test_refuses_one_that_is_guessed_first(self, owner: Browser) -> None:
        answer = owner.send("/account/password", {"current_password": PASSWORD, "new_password": "password123"})

        assert answer.status_code == 422
        assert "guessed first" in answer.text
        assert "password123" not in answer.text

    def test_stops_a_guesser_who_found_an_open_browser(self, owner: Browser) -> None:
        form = {"current_password": "a guess", "new_password": self.NEW}

        answers = [owner.send("/account/password", form) for _ in range(6)]

        assert answers[-1].status_code == 429

    def test_is_in_the_audit_without_the_password(self, owner: Browser, database: Database) -> None:
        owner.send("/account/password", {"current_password": PASSWORD, "new_password": self.NEW})

        entry = rows(database, select(AuditEntry).where(AuditEntry.action == "account.password_changed"))[0]
        assert self.NEW not in str(vars(entry))
