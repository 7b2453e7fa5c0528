"""`belfry tokens`."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.core.ids import digest
from app.tenants.models import ApiToken, AuditEntry
from app.tenants.roles import Role
from app.tenants.roster import MemberNotFound
from app.tenants.tokens import TokenInvalid, TokenNotFound
from tests.cli.conftest import Terminal
from tests.factories.tenants import make_member

MAKE = ("tokens", "create", "Deploys", "--member", "olga@example.com", "--scope", "view", "--scope", "run")


@pytest.fixture(autouse=True)
def acme(terminal: Terminal) -> UUID:
    """The organization of the terminal, with an operator and a viewer."""
    rows = terminal.json("organizations", "list")
    here = next(UUID(row["id"]) for row in rows if not row["is_system"])
    with terminal.database.transaction() as session:
        for name, role in (("Olga", Role.OPERATOR), ("Vera", Role.VIEWER)):
            make_member(session, email=f"{name.lower()}@example.com", name=name, role=role, organization_id=here)
    return here


class TestCreate:
    def test_prints_the_token_and_nothing_else(self, terminal: Terminal) -> None:
        result = terminal.run(*MAKE)

        with terminal.database.reading() as session:
            kept = session.scalars(select(ApiToken)).one()
        assert kept.token_digest == digest(result.stdout.strip())
        assert "It is shown only now." in result.stderr
        assert result.stdout.strip() not in result.stderr

    def test_says_all_of_it_as_json(self, terminal: Terminal) -> None:
        made = terminal.json(*MAKE, "--never-expires")

        assert made["token"].startswith("belfry_")
        assert (made["email"], made["scopes"], made["expires"]) == ("olga@example.com", ["view", "run"], None)

    def test_is_in_the_audit_as_what_the_command_line_did(self, terminal: Terminal) -> None:
        terminal.run(*MAKE)

        with terminal.database.reading() as session:
            entry = session.scalars(select(AuditEntry)).one()
        assert (entry.actor_label, entry.action) == ("command line", "token.created")

    def test_gives_no_more_than_the_role(self, terminal: Terminal) -> None:
        refused = terminal.run(*MAKE, "--scope", "edit_jobs")

        assert isinstance(refused.exception, TokenInvalid)
        assert "operator allows these scopes: view, run, edit_schedules, account." in refused.exception.message

    def test_needs_a_member(self, terminal: Terminal) -> None:
        words = ["nobody@example.com" if word == "olga@example.com" else word for word in MAKE]

        assert isinstance(terminal.run(*words).exception, MemberNotFound)

    @pytest.mark.parametrize("days", ["0", "366"])
    def test_bounds_the_days(self, terminal: Terminal, days: str) -> None:
        assert terminal.run(*MAKE, "--days", days).exit_code == 2


class TestList:
    def test_shows_tokens_of_all_members_without_the_secret(self, terminal: Terminal) -> None:
        secrets = [
            terminal.run(*MAKE).stdout.strip(),
            terminal.run("tokens", "create", "Board", "--member", "vera@example.com", "--scope", "view").stdout.strip(),
        ]

        rows = terminal.json("tokens", "list")
        printed = terminal.run("tokens", "list").output

        assert {(row["name"], row["email"], row["state"]) for row in rows} == {
            ("Deploys", "olga@example.com", "active"),
            ("Board", "vera@example.com", "active"),
        }
        assert "view,run" in printed
        assert not any(secret in printed + str(rows) for secret in secrets)


class TestRevoke:
    def test_ends_a_token(self, terminal: Terminal) -> None:
        made = terminal.json(*MAKE)

        result = terminal.run("tokens", "revoke", made["id"])

        assert result.output == "The token is revoked. Programs that use it are refused from now on.\n"
        assert terminal.json("tokens", "list") == []

    def test_finds_none_that_does_not_exist(self, terminal: Terminal) -> None:
        assert isinstance(terminal.run("tokens", "revoke", str(uuid4())).exception, TokenNotFound)
