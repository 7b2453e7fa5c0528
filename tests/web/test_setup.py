"""The first account: once, within the hour, by whoever holds the link."""

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.db import Database
from app.tenants.models import AuditEntry, Membership, Organization, SetupLink, User
from app.tenants.service import make_setup_link
from tests.factories.tenants import make_member
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

FORM = {
    "name": "Grace",
    "email": "Grace@Example.com",
    "password": "copper-lantern-77",
    "timezone": "America/New_York",
}


@pytest.fixture
def token(database: Database, clock: ManualClock) -> str:
    with database.transaction() as session:
        return make_setup_link(session, now=clock.moment)


class TestSetup:
    def test_asks_for_the_person_and_carries_the_token(self, anonymous: Browser, token: str) -> None:
        answer = anonymous.visit(f"/setup?token={token}")

        assert answer.status_code == 200
        assert f'value="{token}"' in answer.text
        assert 'autocomplete="new-password"' in answer.text

    def test_makes_a_platform_admin_who_owns_an_organization(
        self, anonymous: Browser, token: str, database: Database
    ) -> None:
        anonymous.send("/setup", {"token": token, **FORM})

        with database.reading() as session:
            user = session.scalars(select(User)).one()
            organization = session.scalars(select(Organization).where(Organization.is_personal)).one()
            mine = Membership.organization_id == organization.id
            membership = session.scalars(select(Membership).where(mine)).one()
        assert (user.email, user.is_platform_admin) == ("grace@example.com", True)
        assert (organization.name, organization.timezone) == ("Grace", "America/New_York")
        assert (membership.user_id, membership.role) == (user.id, "owner")

    def test_signs_the_person_in(self, anonymous: Browser, token: str) -> None:
        answer = anonymous.send("/setup", {"token": token, **FORM})

        assert answer.location == "/"
        assert "Welcome to Belfry, Grace." in anonymous.visit("/account").text

    def test_is_in_the_audit_without_the_password(self, anonymous: Browser, token: str, database: Database) -> None:
        anonymous.send("/setup", {"token": token, **FORM})

        with database.reading() as session:
            entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [entry.action for entry in entries] == ["account.created", "account.signed_in"]
        assert "copper-lantern" not in str([vars(entry) for entry in entries])

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("email", "grace", "Enter an e-mail address"),
            ("password", "short", "Use at least 8 characters."),
            ("password", "password123", "guessed first"),
            ("password", "grace@example.com", "Do not use your e-mail address"),
            ("name", " ", "Enter your name."),
            ("timezone", "Mars/Olympus", "Choose a time zone"),
        ],
    )
    def test_says_what_to_mend_and_keeps_the_link(
        self, anonymous: Browser, token: str, field: str, value: str, message: str
    ) -> None:
        refused = anonymous.send("/setup", {"token": token, **FORM, field: value})
        accepted = anonymous.send("/setup", {"token": token, **FORM})

        assert refused.status_code == 422
        assert message in refused.text
        assert accepted.status_code == 303


class TestSetupLink:
    def test_works_once(self, anonymous: Browser, token: str, app: Flask) -> None:
        anonymous.send("/setup", {"token": token, **FORM})

        answer = app.test_client().send("/setup", {"token": token, **FORM, "email": "second@example.com"})

        assert answer.status_code == 404
        assert "Belfry is set up already. Sign in with your account." in answer.text

    def test_expires_after_an_hour(self, anonymous: Browser, token: str, clock: ManualClock) -> None:
        clock.advance(hours=1)

        shown = anonymous.visit(f"/setup?token={token}")
        sent = anonymous.send("/setup", {"token": token, **FORM})

        assert (shown.status_code, sent.status_code) == (404, 404)
        assert "has expired" in shown.text
        assert "belfry setup-link" in shown.text

    def test_that_expired_meanwhile_keeps_what_was_typed(
        self, anonymous: Browser, token: str, clock: ManualClock
    ) -> None:
        clock.advance(hours=1)

        text = anonymous.send("/setup", {"token": token, **FORM}).text

        assert ('value="Grace"' in text, 'value="Grace@Example.com"' in text) == (True, True)
        assert "has expired" in text
        assert "belfry setup-link" in text

    def test_is_replaced_by_a_newer_one(
        self, anonymous: Browser, token: str, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            newer = make_setup_link(session, now=clock.moment)

        assert "is not valid" in anonymous.visit(f"/setup?token={token}").text
        assert anonymous.visit(f"/setup?token={newer}").status_code == 200

    @pytest.mark.parametrize("wrong", ["", "unknown", "%00", "%F0%9F%94%91"])
    def test_must_be_known(self, anonymous: Browser, token: str, wrong: str) -> None:
        assert anonymous.visit(f"/setup?token={wrong}").status_code == 404

    def test_is_stored_as_a_digest_only(self, token: str, database: Database) -> None:
        with database.reading() as session:
            assert session.scalars(select(SetupLink.token_digest)).one() != token

    def test_is_gone_once_anybody_has_an_account(self, anonymous: Browser, token: str, database: Database) -> None:
        with database.transaction() as session:
            make_member(session)

        assert anonymous.visit(f"/setup?token={token}").status_code == 404

    def test_is_what_the_sign_in_page_points_at_while_nobody_has_an_account(self, anonymous: Browser) -> None:
        assert "There is no account yet." in anonymous.visit("/login").text
