"""A console on a migrated, empty installation."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli.root import belfry
from app.core.config import Settings
from tests.factories.work import make_organization
from tests.fakes.database import OpenDatabase


class Terminal:
    """Calls `belfry` as a person would, in the folder of a test."""

    def __init__(self, database: OpenDatabase) -> None:
        self.database = database

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(belfry, words)

    def json(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def bare_terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BELFRY_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("BELFRY_SECRET_KEY", "k" * 48)
    monkeypatch.setenv("BELFRY_DATABASE_URL", settings.database_url)
    if settings.database_admin_url is not None:
        monkeypatch.setenv("BELFRY_VAULT_KEYS", ",".join(settings.vault_keys))
        monkeypatch.setenv("BELFRY_DATABASE_ADMIN_URL", settings.database_admin_url)


@pytest.fixture
def terminal(bare_terminal: None, database: OpenDatabase) -> Terminal:
    with database.transaction() as session:
        make_organization(session)
    return Terminal(database)
