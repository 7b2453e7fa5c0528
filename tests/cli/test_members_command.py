"""`belfry members` and `belfry organizations`."""

from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.core.ids import digest
from app.tenants.members import LastOwner
from app.tenants.models import AuditEntry, Invitation
from app.tenants.roles import Role
from app.tenants.roster import InvitationNotFound, MemberNotFound
from tests.cli.conftest import Terminal
from tests.factories.tenants import LONG_AGO, make_member, make_user


@pytest.fixture
def acme(terminal: Terminal) -> UUID:
    """The organization of the terminal, with an owner and a viewer."""
    with terminal.database.transaction() as session:
        owner = make_member(session, email="olga@example.com", name="Olga", organization_id=_only(terminal))
        make_member(
            session, email="vera@example.com", name="Vera", role=Role.VIEWER, organization_id=owner.organization_id
        )
    return owner.organization_id


def _only(terminal: Terminal) -> UUID:
    rows = terminal.json("organizations", "list")
    return next(UUID(row["id"]) for row in rows if not row["is_system"])


class TestMembers:
    def test_are_listed_with_those_who_are_invited(self, terminal: Terminal, acme: UUID) -> None:
        terminal.run("members", "invite", "grace@example.com")

        rows = terminal.json("members", "list")

        assert [(row["email"], row["role"], row["state"]) for row in rows] == [
            ("olga@example.com", "owner", "member"),
            ("vera@example.com", "viewer", "member"),
            ("grace@example.com", "operator", "invited"),
        ]

    def test_have_the_first_steps_put_away_for_them(self, terminal: Terminal, acme: UUID) -> None:
        shown = terminal.run("members", "first-steps", "vera@example.com").output
        away = terminal.json("members", "first-steps", "vera@example.com", "hide")
        other = terminal.json("members", "first-steps", "olga@example.com")
        back = terminal.json("members", "first-steps", "vera@example.com", "show")

        assert shown == "The first steps of vera@example.com are shown as long as anything is left to do.\n"
        assert [one["hidden"] for one in (away, other, back)] == [True, False, False]
        with terminal.database.reading() as session:
            actions = session.scalars(select(AuditEntry.action)).all()
        assert [action for action in actions if "first_steps" in action] == [
            "account.first_steps_hidden",
            "account.first_steps_shown",
        ]

    def test_whose_link_has_expired_are_listed_as_such(self, terminal: Terminal, acme: UUID) -> None:
        terminal.run("members", "invite", "grace@example.com")
        with terminal.database.transaction() as session:
            session.execute(update(Invitation).values(expires_at=LONG_AGO))

        rows = terminal.json("members", "list")

        assert [row["state"] for row in rows if row["email"] == "grace@example.com"] == ["expired"]

    def test_get_a_link_that_works(self, terminal: Terminal, acme: UUID) -> None:
        made = terminal.json("members", "invite", "grace@example.com", "--role", "admin")

        token = made["link"].partition("/invitation?token=")[2]
        with terminal.database.reading() as session:
            assert session.scalars(select(Invitation.token_digest)).one() == digest(token)

    def test_get_a_new_link_for_their_invitation(self, terminal: Terminal, acme: UUID) -> None:
        first = terminal.json("members", "invite", "grace@example.com")

        second = terminal.json("members", "link", "Grace@Example.com")

        token = second["link"].partition("/invitation?token=")[2]
        with terminal.database.reading() as session:
            assert session.scalars(select(Invitation.token_digest)).one() == digest(token)
        assert second["id"] == first["id"]

    def test_are_not_invited_any_more_once_that_is_revoked(self, terminal: Terminal, acme: UUID) -> None:
        terminal.run("members", "invite", "grace@example.com")

        result = terminal.run("members", "revoke", "grace@example.com")

        assert result.output == "The invitation of grace@example.com is revoked.\n"
        assert "grace@example.com" not in [row["email"] for row in terminal.json("members", "list")]
        assert isinstance(terminal.run("members", "link", "grace@example.com").exception, InvitationNotFound)

    def test_get_another_role_and_the_audit_says_from_where(self, terminal: Terminal, acme: UUID) -> None:
        result = terminal.run("members", "role", "vera@example.com", "admin")

        with terminal.database.reading() as session:
            entry = session.scalars(select(AuditEntry)).one()
        assert result.output == "vera@example.com is admin now.\n"
        assert (entry.actor_label, entry.action) == ("command line", "member.role_changed")

    def test_are_removed(self, terminal: Terminal, acme: UUID) -> None:
        terminal.run("members", "remove", "vera@example.com")

        assert [row["email"] for row in terminal.json("members", "list")] == ["olga@example.com"]

    def test_keep_their_last_owner(self, terminal: Terminal, acme: UUID) -> None:
        assert isinstance(terminal.run("members", "remove", "olga@example.com").exception, LastOwner)

    def test_that_are_none_are_refused(self, terminal: Terminal, acme: UUID) -> None:
        refused = terminal.run("members", "role", "nobody@example.com", "admin")

        assert isinstance(refused.exception, MemberNotFound)


class TestOrganizations:
    def test_are_made_for_an_account(self, terminal: Terminal) -> None:
        with terminal.database.transaction() as session:
            make_user(session, email="ada@example.com")

        made = terminal.json("organizations", "create", "Harbour", "--owner", "Ada@example.com")

        members = terminal.json("members", "list", "--organization", "Harbour")
        assert made["name"] == "Harbour"
        assert [(row["email"], row["role"]) for row in members] == [("ada@example.com", "owner")]

    def test_need_an_account(self, terminal: Terminal) -> None:
        refused = terminal.run("organizations", "create", "Harbour", "--owner", "nobody@example.com")

        assert isinstance(refused.exception, MemberNotFound)

    def test_change_their_zone_and_keep_their_name(self, terminal: Terminal, acme: UUID) -> None:
        before = terminal.json("organizations", "list")

        changed = terminal.json("organizations", "change", "--timezone", "Asia/Tokyo")

        assert changed["timezone"] == "Asia/Tokyo"
        assert changed["name"] in [row["name"] for row in before]
