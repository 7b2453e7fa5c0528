"""Connecting a spreadsheet and pushing to it, with commands alone, against the fakes on a port of this machine."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from tests.cli.conftest import Terminal
from tests.factories.figures import make_connection
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.google.keys import KEY_FILE, READER, SECRETS, STRANGER, key_file
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.sheets.fake import SheetsFake
from tests.fakes.providers.sheets.scenarios import BOOK
from tests.fakes.providers.world import World

ADDRESS = f"https://docs.google.com/spreadsheets/d/{BOOK}/edit#gid=0"


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    google = GoogleFake()
    world = World(google, SheetsFake(google.email_of), now=datetime.now(UTC))
    with FakeServer(world) as server:
        monkeypatch.setenv("BELFRY_GOOGLE_TOKEN_URL", f"{server.url}/google/token")
        monkeypatch.setenv("BELFRY_SHEETS_BASE_URL", f"{server.url}/sheets")
        yield world


@pytest.fixture
def sheet(terminal: Terminal, tmp_path: Path) -> str:
    path = tmp_path / "key.json"
    path.write_text(KEY_FILE)
    return str(terminal.json("connections", "add", "sheets", ADDRESS, "--token-file", str(path))["connection"])


class TestConnect:
    def test_takes_an_address_and_says_as_whom_it_writes(self, terminal: Terminal, sheet: str) -> None:
        (row,) = terminal.json("connections", "list")

        assert (row["name"], row["service"], row["account"]) == ("Marketing KPIs", "Google Sheets", BOOK)
        assert row["last_test"].startswith(f"Can write to “Marketing KPIs” as {READER}: ok")

    def test_makes_no_job(self, terminal: Terminal, sheet: str) -> None:
        assert terminal.json("jobs", "list") == []

    def test_saves_nothing_where_it_may_not_write(self, terminal: Terminal, tmp_path: Path) -> None:
        path = tmp_path / "key.json"
        path.write_text(key_file(STRANGER))

        result = terminal.run("connections", "add", "sheets", BOOK, "--token-file", str(path))

        assert result.exit_code != 0
        assert f"Share it with {STRANGER} as Editor" in " ".join(str(result.exception or result.output).split())
        assert terminal.json("connections", "list") == []

    def test_shows_no_part_of_the_key(self, terminal: Terminal, sheet: str) -> None:
        output = terminal.run("connections", "show", sheet).output

        assert not any(secret in output for secret in SECRETS)


class TestAPush:
    def test_is_a_job_like_any_other(self, terminal: Terminal, sheet: str) -> None:
        organization = next(row for row in terminal.json("organizations", "list") if not row["is_system"])
        with terminal.database.transaction() as session:
            source = str(make_connection(session, UUID(organization["id"])).id)
        plan = {"source": source, "level": "campaign", "metrics": ["spend"], "days": 28, "tab": "Spend"}
        wanted = {"service": "sheets", "connection_id": sheet, "push": plan}

        made = terminal.json("jobs", "create", "Push spend", "--kind", "sync", "--definition", json.dumps(wanted))

        job = terminal.json("jobs", "show", made["job"])
        assert (job["name"], job["does"]) == (
            "Push spend", "Pushes spend by campaign and day to Google Sheets: “Spend”",
        )  # fmt: skip
