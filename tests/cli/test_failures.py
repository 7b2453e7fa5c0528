"""What fails is said in a sentence with exit status 2; only a defect shows where it happened."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from app.cli import root
from app.cli.root import belfry
from app.core.config import Settings
from app.core.db import Database
from app.core.failures import explain
from app.core.paths import ROOT
from tests.cli.conftest import Terminal
from tests.conftest import VAULT_KEY
from tests.services.postgres import PostgresUrls

WORKFLOW = '{"steps": [{"name": "Ask", "method": "GET", "url": "https://example.com/"}]}'


class Shell:
    """Calls `belfry` as its entry point does, and keeps what it said on standard error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *words: str) -> tuple[int, str]:
        self._monkeypatch.setattr(sys, "argv", ["belfry", *words])
        with pytest.raises(SystemExit) as ended:
            root.main()
        return int(ended.value.code or 0), self._capsys.readouterr().err


@pytest.fixture
def shell(bare_terminal: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


class TestAMachineThatDoesNotPlayAlong:
    @pytest.fixture
    def engine(self) -> str:
        return "sqlite"

    def test_has_a_file_where_the_data_folder_should_be(
        self, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("BELFRY_DATA_DIR", str(tmp_path / "file"))

        status, said = shell.run("db", "upgrade")

        assert status == 2
        assert said.startswith(f"Belfry cannot use {tmp_path}/file: ")
        assert "BELFRY_DATA_DIR" in said

    def test_has_a_damaged_database(self, shell: Shell, settings: Settings) -> None:
        (settings.data_dir / "belfry.db").write_bytes(b"no database" * 1000)

        status, said = shell.run("db", "upgrade")

        assert status == 2
        assert said.startswith("The database of BELFRY_DATABASE_URL is damaged")
        assert "Traceback" not in said

    def test_has_a_damaged_queue_which_may_be_deleted(self, shell: Shell, settings: Settings) -> None:
        (settings.data_dir / "queue.db").write_bytes(b"no database" * 1000)

        status, said = shell.run("worker")

        assert status == 2
        assert "Delete that file" in said
        # What needs no queue goes on without it.
        assert shell.run("db", "upgrade")[0] == 0

    def test_hands_in_words_that_are_no_text(self) -> None:
        with pytest.raises(UnicodeEncodeError) as refused:
            "\udcff".encode()

        assert "is not valid UTF-8" in (explain(refused.value) or "")

    def test_has_a_busy_database(self, database: Database) -> None:
        with database.transaction() as session:
            session.execute(text("SELECT 1"))
            other = sqlite3.connect(str(database.write.url.database), timeout=0)
            with pytest.raises(sqlite3.OperationalError) as refused:
                other.execute("BEGIN IMMEDIATE")
            other.close()

        assert "is busy with another process. Try again" in (explain(refused.value) or "")

    def test_has_a_login_that_the_server_does_not_know(
        self, empty_postgres: PostgresUrls, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BELFRY_DATABASE_URL", empty_postgres.login.replace("//belfry@", "//nobody-here@"))
        monkeypatch.delenv("BELFRY_DATABASE_ADMIN_URL", raising=False)
        monkeypatch.setenv("BELFRY_VAULT_KEYS", VAULT_KEY)

        status, said = shell.run("db", "setup")

        assert (status, said.count("\n")) == (2, 1)
        assert "refuses to let us in. Check login, password and name" in said


class TestADefect:
    def test_shows_its_trace_and_a_sentence(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(**_words: object) -> None:
            raise LookupError("nobody expected this")

        monkeypatch.setattr(root, "belfry", fail)

        status, said = shell.run()

        assert status == 1
        assert "Traceback" in said
        assert said.splitlines()[-1] == "Belfry failed unexpectedly: LookupError('nobody expected this')"


class TestStartingARun:
    def test_succeeds_while_the_queue_is_damaged(self, terminal: Terminal, settings: Settings) -> None:
        job = terminal.json("jobs", "create", "Ask", "--kind", "workflow", "--definition", WORKFLOW)["job"]
        (settings.data_dir / "queue.db").write_bytes(b"no database" * 1000)
        for leftover in settings.data_dir.glob("queue.db-*"):
            leftover.unlink()

        result = terminal.run("jobs", "run", job, "--json")

        assert result.exit_code == 0
        assert "the queue does not answer" in result.stderr
        assert terminal.json("runs", "show", json.loads(result.stdout)["run"])["state"] == "ready"


class TestReading:
    def test_needs_and_makes_no_key(
        self, terminal: Terminal, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("BELFRY_SECRET_KEY")
        monkeypatch.setenv("BELFRY_ENV", "production")

        assert terminal.json("jobs", "list") == []
        assert not (settings.data_dir / "secret_key").exists()

    def test_finds_no_schedules_before_there_is_an_organization(self, bare_terminal: None, database: Database) -> None:
        result = CliRunner().invoke(belfry, ["schedules", "list", "--json"])

        assert (result.exit_code, result.stdout.strip()) == (0, "[]")
        assert "There is no organization yet" in result.stderr


class TestUp:
    def test_says_where_pages_cannot_be_served(self, tmp_path: Path) -> None:
        environment = os.environ | {"BELFRY_LISTEN": "192.0.2.7:9320", "BELFRY_DATA_DIR": str(tmp_path / "var")}

        ended = subprocess.run(
            [sys.executable, "-m", "app.cli", "up"],
            cwd=ROOT,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )

        assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
        assert "BELFRY_LISTEN" in ended.stderr
        assert not (tmp_path / "var").exists()
