"""One's own account and session, as a browser sees them."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, select, update

from app.core.clock_words import clock_time
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


class TestHowPagesLook:
    def test_is_kept_and_drawn_by_the_server(self, owner: Browser) -> None:
        chosen = {"clock": "12", "theme": "dark", "density": "compact", "shortcuts": "off"}
        owner.send("/account", {"name": "Olga", "timezone": "Europe/Riga", **chosen})

        text = owner.visit("/runs").text

        assert 'data-clock="12" data-density="compact" data-chosen-theme="dark" data-theme="dark"' in text
        assert ' data-shortcuts="off">' in text

    def test_is_the_usual_one_until_somebody_chooses(self, owner: Browser, anonymous: Browser) -> None:
        text = owner.visit("/runs").text

        assert 'data-clock="24" data-density="comfortable"' in text
        assert "data-chosen-theme" not in text
        assert ' data-shortcuts="on">' in text
        assert "<body>" in anonymous.visit("/login").text

    def test_refuses_a_theme_that_does_not_exist(self, owner: Browser) -> None:
        answer = owner.send("/account", {"name": "Olga", "timezone": "Europe/Riga", "theme": "neon"})

        assert answer.status_code == 422
        assert "Choose one of these for the theme: system, light, dark." in answer.text

    def test_takes_the_theme_from_the_menu_too(self, owner: Browser, database: Database) -> None:
        answers = [owner.send("/account/theme", {"theme": "light"}, htmx=is_htmx).status_code for is_htmx in (1, 0)]

        assert answers == [204, 303]
        assert rows(database, select(User.theme)) == ["light"]


class TestTheClock:
    def choose(self, browser: Browser, clock: str) -> str:
        browser.send("/account", {"name": "Olga", "timezone": "Europe/Riga", "clock": clock})
        return str(browser.visit("/account").text)

    def test_of_twelve_hours_is_in_the_times_of_a_page(self, owner: Browser) -> None:
        assert re.search(r"\w{3} \d+ \w{3}, \d{1,2}:\d\d (am|pm)", self.choose(owner, "12"))
        assert not re.search(r"\w{3} \d+ \w{3}, \d{1,2}:\d\d (am|pm)", self.choose(owner, "24"))

    def test_of_one_person_is_nobody_elses(self, owner: Browser, app: Flask) -> None:
        self.choose(owner, "12")

        answer = owner.get("/api/v1/schedules/preview-of-nothing")

        assert answer.status_code == 404
        assert clock_time(14, 30) == "14:30"


class TestBrowsers:
    @pytest.fixture
    def other(self, owner: Browser, app: Flask) -> Browser:
        other = app.test_client()
        assert isinstance(other, Browser)
        other.sign_in(email="owner@example.com")
        return other

    def test_are_listed_with_the_one_in_hand(self, owner: Browser, other: Browser) -> None:
        text = owner.visit("/account").text

        assert text.count('id="browser-') == 2
        assert text.count("This browser") == 1

    def test_can_be_signed_out_one_by_one(self, owner: Browser, other: Browser, database: Database) -> None:
        theirs = rows(database, select(LoginSession.id).where(LoginSession.user_agent != "tests"))[0]

        answer = owner.send(f"/account/browsers/{theirs}/sign-out")

        assert answer.status_code == 303
        assert other.visit("/account").status_code == 302
        assert rows(database, select(AuditEntry.action))[-1] == "account.browsers_signed_out"

    def test_can_be_signed_out_all_but_this(self, owner: Browser, other: Browser) -> None:
        owner.send("/account/browsers/sign-out")

        assert other.visit("/account").status_code == 302
        assert "1 other browser is signed out." in owner.visit("/account").text

    def test_that_is_in_hand_signs_out_as_usual(self, owner: Browser, database: Database) -> None:
        mine = rows(database, select(LoginSession.id))[0]

        assert owner.send(f"/account/browsers/{mine}/sign-out").location == "/login"

    def test_of_somebody_else_cannot_be_found(self, owner: Browser, stranger: Browser, database: Database) -> None:
        of_stranger = select(LoginSession.id).where(LoginSession.user_id == stranger.user_id)

        answer = owner.send(f"/account/browsers/{rows(database, of_stranger)[0]}/sign-out")

        assert answer.status_code == 404
        assert stranger.visit("/account").status_code == 200


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
