"""`belfry connections` with a shop, against the fake of Shopify on a port of this machine."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from app.ops.login_desk import LoginNotGood
from app.schedules.defaults import give_default_schedules
from tests.cli.conftest import Terminal
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.scenarios import (
    ACME,
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    SCOPELESS_TOKEN,
    SECRETS,
    TOKEN,
)
from tests.fakes.providers.world import World

REFRESH = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> Iterator[World]:
    made = World(ShopifyFake(), now=datetime.now(UTC))
    here = next(UUID(row["id"]) for row in terminal.json("organizations", "list") if not row["is_system"])
    with terminal.database.transaction() as session:
        give_default_schedules(session, organization_id=here, now=datetime.now(UTC))
    with FakeServer(made) as server:
        monkeypatch.setenv("BELFRY_SHOPIFY_BASE_URL_TEMPLATE", f"{server.url}/shopify/{{shop}}")
        yield made


@pytest.fixture
def login_file(tmp_path: Path) -> Path:
    path = tmp_path / "login"
    path.write_text(f"{json.dumps(REFRESH)}\n")
    return path


def added(terminal: Terminal, login_file: Path) -> str:
    return str(terminal.json("connections", "add", "shopify", ACME, "--token-file", str(login_file))["connection"])


class TestAShop:
    def test_is_connected_with_a_file(self, terminal: Terminal, login_file: Path) -> None:
        connection = added(terminal, login_file)
        (row,) = terminal.json("connections", "list")

        assert (row["id"], row["account"], row["service"]) == (connection, ACME, "Shopify")
        assert row["expires"] is not None

    def test_is_tested_and_takes_another_login(self, terminal: Terminal, login_file: Path) -> None:
        connection = added(terminal, login_file)
        login_file.write_text(TOKEN)

        assert "Read 1 order" in terminal.run("connections", "test", connection).output
        replaced = terminal.run("connections", "replace-login", connection, "--token-file", str(login_file))
        assert "Replaced." in replaced.output
        assert not any(secret in replaced.output for secret in SECRETS)

    def test_whose_orders_cannot_be_read_is_not_connected(self, terminal: Terminal, login_file: Path) -> None:
        login_file.write_text(SCOPELESS_TOKEN)

        result = terminal.run("connections", "add", "shopify", ACME, "--token-file", str(login_file))

        assert isinstance(result.exception, LoginNotGood)
        assert "read_orders" in result.exception.message
        assert terminal.json("connections", "list") == []
