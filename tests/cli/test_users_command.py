"""`belfry user`: profiles and browsers of people, from the terminal."""

import pytest
from sqlalchemy import select

from app.core.clock import DatabaseClock
from app.tenants.models import AuditEntry, LoginSession, User
from app.tenants.profiles import PersonNotFound
from app.tenants.sign_in import start_session
from tests.cli.conftest import Terminal
from tests.factories.tenants import Member, make_member


@pytest.fixture
def olga(terminal: Terminal) -> Member:
    """Somebody who is signed in in two browsers that nobody has used for a moment."""
    with terminal.database.transaction() as session:
        member = make_member(session, email="olga@example.com", name="Olga")
        now = DatabaseClock().now(session)
        for agent in ("tests", "phone"):
            start_session(session, user_id=member.user_id, email=member.email, user_agent=agent, now=now)
    return member


class TestAProfile:
    def test_is_shown_with_its_browsers(self, terminal: Terminal, olga: Member) -> None:
        found = terminal.json("user", "show", "olga@example.com")

        assert (found["clock"], found["theme"], found["density"]) == ("24", None, "comfortable")
        assert {row["user_agent"] for row in found["browsers"]} == {"tests", "phone"}

    def test_is_changed_in_part(self, terminal: Terminal, olga: Member) -> None:
        terminal.run("user", "change", "olga@example.com", "--clock", "12", "--no-shortcuts")

        with terminal.database.reading() as session:
            user = session.get_one(User, olga.user_id)
            entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "account.profile_changed")).one()
        assert (user.clock, user.shortcuts_enabled, user.name) == ("12", False, "Olga")
        assert (entry.actor_label, entry.changes["clock"]) == ("command line", ["24", "12"])

    def test_of_nobody_is_refused(self, terminal: Terminal) -> None:
        answer = terminal.run("user", "change", "nobody@example.com", "--clock", "12")

        assert isinstance(answer.exception, PersonNotFound)


class TestSigningOut:
    def test_ends_all_browsers(self, terminal: Terminal, olga: Member) -> None:
        assert "Signed out: 2." in terminal.run("user", "sign-out", "olga@example.com").output

        with terminal.database.reading() as session:
            assert session.scalars(select(LoginSession.id)).all() == []

    def test_ends_one(self, terminal: Terminal, olga: Member) -> None:
        one = terminal.json("user", "show", "olga@example.com")["browsers"][0]

        terminal.run("user", "sign-out", "olga@example.com", "--browser", one["id"])

        with terminal.database.reading() as session:
            assert len(session.scalars(select(LoginSession.id)).all()) == 1
