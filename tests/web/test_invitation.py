"""The link of an invitation, as whoever holds it sees it: with an account, with another one, with none."""

import re

import pytest
from sqlalchemy import select

from app.tenants.models import Invitation, Membership, User
from tests.factories.tenants import PASSWORD, make_member, make_organization, make_user
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser
from tests.web.test_team import link_in

GRACE = "grace@example.com"
ACCOUNT = {"name": "Grace", "password": "copper-lantern-77", "timezone": "Europe/Riga"}


@pytest.fixture
def link(admin: Browser) -> str:
    return link_in(admin.send("/settings/team/invitations", {"email": GRACE, "role": "operator"}).text)


@pytest.fixture
def token(link: str) -> str:
    return link.partition("token=")[2]


@pytest.fixture
def grace(database: OpenDatabase) -> None:
    """An account with the invited address."""
    with database.transaction() as session:
        make_user(session, email=GRACE, name="Grace")


def members(database: OpenDatabase) -> list[tuple[str, str]]:
    with database.reading() as session:
        query = select(User.email, Membership.role).join(User, User.id == Membership.user_id)
        return [tuple(row) for row in session.execute(query.where(User.email == GRACE))]


def _without_mask(text: str) -> str:
    """A page but for the token of its forms, which is written otherwise in each answer."""
    token = re.search(r'name="csrf-token" content="([^"]+)"', text)
    assert token is not None
    return text.replace(token[1], "")


class TestLink:
    def test_says_who_invites_whom_to_what(self, anonymous: Browser, link: str) -> None:
        text = anonymous.visit(link).text

        assert "Join Northwind" in text
        assert "Abel invites grace@example.com as operator." in text

    def test_does_not_tell_whether_the_address_has_an_account(
        self, anonymous: Browser, link: str, database: OpenDatabase
    ) -> None:
        before = _without_mask(anonymous.visit(link).text)
        with database.transaction() as session:
            make_user(session, email=GRACE, name="Grace")

        after = _without_mask(anonymous.visit(link).text)

        assert before == after

    @pytest.mark.parametrize("path", ["/invitation", "/invitation?token=", "/invitation?token=guess"])
    def test_that_nobody_made_is_refused_in_words(self, anonymous: Browser, path: str) -> None:
        answer = anonymous.visit(path)

        assert answer.status_code == 404
        assert "This link is not valid: it was mistyped, or replaced by a newer one." in answer.text

    def test_that_has_expired_says_so(self, anonymous: Browser, link: str, clock: ManualClock) -> None:
        clock.advance(days=7)

        answer = anonymous.visit(link)

        assert answer.status_code == 404
        assert "This invitation was good for a week and has expired." in answer.text


class TestNewAccount:
    def test_is_signed_in_and_sees_the_organization(self, anonymous: Browser, link: str, token: str) -> None:
        answer = anonymous.send("/invitation/account", {**ACCOUNT, "token": token})

        seen = anonymous.visit("/settings/team").text
        assert (answer.status_code, answer.location) == (303, "/")
        assert "Welcome to Northwind, Grace." in seen
        assert "Who may do what in Northwind." in seen

    def test_gets_a_personal_organization_too(self, anonymous: Browser, token: str, database: OpenDatabase) -> None:
        anonymous.send("/invitation/account", {**ACCOUNT, "token": token})

        assert sorted(members(database)) == [(GRACE, "operator"), (GRACE, "owner")]

    def test_keeps_the_form_when_the_password_is_too_easy(self, anonymous: Browser, token: str) -> None:
        answer = anonymous.send("/invitation/account", {**ACCOUNT, "password": "changeme", "token": token})

        assert answer.status_code == 422
        assert 'value="Grace"' in answer.text
        assert "changeme" not in answer.text

    def test_works_once(self, anonymous: Browser, token: str) -> None:
        anonymous.send("/invitation/account", {**ACCOUNT, "token": token})

        answer = anonymous.send("/invitation/account", {**ACCOUNT, "token": token})

        assert answer.status_code == 404
        assert "This invitation was accepted already." in answer.text

    def test_is_refused_where_there_is_one(self, anonymous: Browser, token: str, grace: None) -> None:
        answer = anonymous.send("/invitation/account", {**ACCOUNT, "token": token})

        assert answer.status_code == 409
        assert "There is an account with the address grace@example.com already." in answer.text


class TestAccount:
    def test_signs_in_and_comes_back_to_join(
        self, anonymous: Browser, link: str, token: str, database: OpenDatabase, admin: Browser, grace_at_home: None
    ) -> None:
        came_back = anonymous.sign_in(PASSWORD, email=GRACE, next=link).location

        page = anonymous.visit(str(came_back)).text
        joined = anonymous.send("/invitation", {"token": token})
        assert (came_back, joined.location) == (link, "/")
        assert 'action="/invitation"' in page
        assert "Who may do what in Northwind." in anonymous.visit("/settings/team").text

    @pytest.fixture
    def grace_at_home(self, database: OpenDatabase) -> None:
        with database.transaction() as session:
            home = make_organization(session, name="Grace", is_personal=True)
            make_member(session, organization_id=home, email=GRACE, name="Grace")

    def test_of_another_address_is_offered_to_sign_out(self, viewer: Browser, link: str, token: str) -> None:
        page = viewer.visit(link).text

        refused = viewer.send("/invitation", {"token": token})
        assert "You are signed in as viewer@example.com." in page
        assert refused.status_code == 403
        assert viewer.send("/logout", {"next": link}).location == link

    def test_is_needed_to_accept(self, anonymous: Browser, token: str) -> None:
        assert anonymous.send("/invitation", {"token": token}).status_code == 401

    def test_used_up_link_says_so(self, anonymous: Browser, token: str, viewer: Browser) -> None:
        anonymous.send("/invitation/account", {**ACCOUNT, "token": token})

        answer = viewer.send("/invitation", {"token": token})

        assert answer.status_code == 404
        assert "This link cannot be used" in answer.text


class TestSecrets:
    def test_are_not_stored(self, token: str, database: OpenDatabase) -> None:
        with database.reading() as session:
            stored = session.scalars(select(Invitation.token_digest)).one()

        assert stored != token

    def test_lead_nobody_elsewhere_after_signing_out(self, viewer: Browser) -> None:
        assert viewer.send("/logout", {"next": "//evil.example"}).location == "/login"
