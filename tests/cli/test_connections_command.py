"""`belfry connections`, against the fake of Meta on a port of this machine. The token never stands in the arguments."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.cli.root import belfry
from app.ops.login_desk import LoginNotGood
from app.schedules.defaults import give_default_schedules
from app.syncs.connections import ConnectionEnded
from app.tenants.models import AuditEntry
from app.vault.models import Secret
from tests.cli.conftest import Terminal
from tests.factories.quotas import tell_quota
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.scenarios import EU, JP, OTHER_TOKEN, SCOPELESS_TOKEN, TOKEN
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.world import World


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(MetaFake(), now=datetime.now(UTC))
    with FakeServer(world) as server:
        monkeypatch.setenv("BELFRY_META_BASE_URL", f"{server.url}/meta")
        yield world


@pytest.fixture(autouse=True)
def acme(terminal: Terminal) -> UUID:
    rows = terminal.json("organizations", "list")
    here = next(UUID(row["id"]) for row in rows if not row["is_system"])
    with terminal.database.transaction() as session:
        give_default_schedules(session, organization_id=here, now=datetime.now(UTC))
    return here


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return str(path)


@pytest.fixture
def connection(terminal: Terminal, token_file: str) -> str:
    return str(terminal.json("connections", "add", "meta", EU, "--token-file", token_file)["connection"])


class TestAdd:
    def test_connects_what_the_token_reads(self, terminal: Terminal, connection: str) -> None:
        (row,) = terminal.json("connections", "list")

        assert (row["id"], row["name"], row["account"], row["state"]) == (connection, "Acme EU", EU, "connected")
        assert row["schedules"] == ["Meta sync"]
        assert row["login"].startswith(f"••••{TOKEN[-4:]}, set ")

    def test_reads_the_token_from_a_pipe(self, terminal: Terminal) -> None:
        words = ("connections", "add", "meta", f"act_{JP}", "--name", "Japan", "--token-file", "-")

        result = CliRunner().invoke(belfry, words, input=TOKEN)

        assert result.exit_code == 0, result.output
        assert "Read 1 campaign" in result.stdout
        assert TOKEN not in result.output

    def test_asks_for_the_token_without_showing_it(self, terminal: Terminal) -> None:
        result = CliRunner().invoke(belfry, ("connections", "add", "meta", EU), input=f"{TOKEN}\n")

        assert result.exit_code == 0, result.output
        assert TOKEN not in result.output

    def test_takes_no_token_as_an_argument(self, terminal: Terminal) -> None:
        assert terminal.run("connections", "add", "meta", EU, "--token", TOKEN).exit_code == 2

    def test_saves_nothing_that_is_refused(self, terminal: Terminal, tmp_path: Path) -> None:
        (tmp_path / "bad").write_text(SCOPELESS_TOKEN)

        refused = terminal.run("connections", "add", "meta", EU, "--token-file", str(tmp_path / "bad"))

        assert isinstance(refused.exception, LoginNotGood)
        assert terminal.json("connections", "list") == []

    def test_finds_the_accounts_to_choose_from(self, terminal: Terminal, token_file: str) -> None:
        found = terminal.json("connections", "accounts", "meta", "--token-file", token_file)

        assert {one["account"] for one in found} == {EU, JP}


class TestTheRest:
    def test_tests_and_tells(self, terminal: Terminal, connection: str, world: World) -> None:
        assert "ok" in terminal.run("connections", "test", connection).stdout
        world.fail("meta", "revoked", times=None)

        refused = terminal.run("connections", "test", connection)

        assert refused.exit_code == 1
        assert "Make a new access token" in refused.output
        assert terminal.json("connections", "show", connection)["state"] == "refused"

    def test_reconnects_and_says_what_is_still_off(
        self, terminal: Terminal, connection: str, world: World, tmp_path: Path
    ) -> None:
        schedule = next(row for row in terminal.json("schedules", "list") if row["name"] == "Meta sync")
        terminal.run("schedules", "enable", schedule["id"])
        world.fail("meta", "revoked", times=None)
        terminal.run("connections", "test", connection)
        world.faults.clear()
        (tmp_path / "next").write_text(OTHER_TOKEN)

        result = terminal.run("connections", "replace-login", connection, "--token-file", str(tmp_path / "next"))

        assert "Reconnected." in result.stdout
        assert f"belfry schedules enable {schedule['id']}" in result.stdout

    def test_renames_and_disconnects(self, terminal: Terminal, connection: str) -> None:
        terminal.run("connections", "rename", connection, "Acme Europe")

        result = terminal.run("connections", "disconnect", connection)

        assert "“Acme Europe” is disconnected." in result.stdout
        assert isinstance(terminal.run("connections", "test", connection).exception, ConnectionEnded)
        with terminal.database.transaction() as session:
            assert session.scalars(select(Secret)).all() == []
            assert "connection.disconnected" in set(session.scalars(select(AuditEntry.action)))

    def test_tells_how_much_of_its_quota_is_used(self, terminal: Terminal, connection: str, acme: UUID) -> None:
        with terminal.database.transaction() as session:
            here = {"organization_id": acme, "connection_id": UUID(connection)}
            tell_quota(session, **here, used=74.0, now=datetime.now(UTC))

        assert (
            "quota: 74.0 % of what the service allows was used at"
            in terminal.run("connections", "show", connection).stdout
        )
