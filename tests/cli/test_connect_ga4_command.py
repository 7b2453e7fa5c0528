"""`belfry connections` with Google Analytics, against the fakes of Google on a port of this machine."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from app.ops.login_desk import LoginNotGood
from app.schedules.defaults import give_default_schedules
from tests.cli.conftest import Terminal
from tests.fakes.providers.ga4.scenarios import BERLIN
from tests.fakes.providers.google.keys import KEY_FILE, STRANGER, key_file
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.world import World
from tests.unit.syncs.ga4_world import google_world


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = google_world(datetime.now(UTC))
    with FakeServer(world) as server:
        monkeypatch.setenv("BELFRY_GA4_BASE_URL", f"{server.url}/ga4")
        monkeypatch.setenv("BELFRY_GOOGLE_TOKEN_URL", f"{server.url}/google/token")
        yield world


@pytest.fixture(autouse=True)
def defaults(terminal: Terminal) -> None:
    rows = terminal.json("organizations", "list")
    here = next(UUID(row["id"]) for row in rows if not row["is_system"])
    with terminal.database.transaction() as session:
        give_default_schedules(session, organization_id=here, now=datetime.now(UTC))


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "key.json"
    path.write_text(KEY_FILE)
    return str(path)


def test_connects_a_property_with_its_key_file_and_tests_it(terminal: Terminal, key: str) -> None:
    made = terminal.json("connections", "add", "ga4", BERLIN, "--name", "Our site", "--token-file", key)

    (row,) = terminal.json("connections", "list")
    assert (row["id"], row["name"], row["account"]) == (made["connection"], "Our site", BERLIN)
    assert (row["service"], row["schedules"]) == ("Google Analytics", ["Google Analytics sync"])
    assert row["login"].startswith("••••4567, set ")
    assert "sessions of the last four weeks" in terminal.run("connections", "test", made["connection"]).output


def test_takes_no_key_of_somebody_who_was_not_let_in(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "stranger.json").write_text(key_file(STRANGER))

    result = terminal.run("connections", "add", "ga4", BERLIN, "--token-file", str(tmp_path / "stranger.json"))

    assert isinstance(result.exception, LoginNotGood) or STRANGER in result.output
    assert terminal.json("connections", "list") == []


def test_says_that_properties_cannot_be_listed(terminal: Terminal, key: str) -> None:
    result = terminal.run("connections", "accounts", "ga4", "--token-file", key)

    assert (result.exit_code, "Type the number of the property" in result.output) == (1, True)
