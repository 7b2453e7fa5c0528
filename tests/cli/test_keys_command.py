"""`belfry keys`: which there are, a new one, and everything sealed with it."""

import json
import os
import stat
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from app.cli.keys import KeyNotRemovable, KeysNotInFile
from app.core.config import Settings
from app.core.key_rings import VaultKeysMissing, parse_keys
from app.ops.vault_keys import KeyInUse
from app.tenants.models import SYSTEM_ORGANIZATION_ID, AuditEntry
from app.vault.models import Secret
from tests.cli.conftest import Terminal
from tests.fakes.vault import vault_key

CALL = {"steps": [{"url": "https://example.com/", "headers": [{"name": "Authorization", "value": "Bearer hush"}]}]}


@pytest.fixture
def engine() -> str:
    """An embedded installation, which has its keys in a file; the rotation itself has its tests on both engines."""
    return "sqlite"


@pytest.fixture
def key_file(settings: Settings) -> Path:
    return settings.data_dir / "vault_keys"


@pytest.fixture
def job(terminal: Terminal) -> UUID:
    return UUID(terminal.json("jobs", "create", "Call", "--kind", "workflow", "--definition", json.dumps(CALL))["job"])


def age(path: Path) -> None:
    """Let the file be older than a minute."""
    os.utime(path, (0, 0))


class TestKeys:
    def test_are_made_when_the_first_secret_is_saved(self, terminal: Terminal, job: UUID, key_file: Path) -> None:
        [key] = terminal.json("keys", "status")

        assert (key["role"], key["secrets"]) == ("seals", 1)
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600

    def test_are_printed_anew_each_time_and_kept_nowhere(self, terminal: Terminal, key_file: Path) -> None:
        printed = {terminal.run("keys", "new").output.strip() for _ in range(2)}

        assert len(parse_keys(printed, source="the terminal")) == 2
        assert not key_file.exists()

    def test_are_added_rotated_and_removed(self, terminal: Terminal, job: UUID, key_file: Path) -> None:
        [old] = terminal.json("keys", "status")

        terminal.run("keys", "add")
        done = terminal.json("keys", "rotate")
        age(key_file)
        terminal.run("keys", "remove", old["id"], "--yes")

        assert (done["resealed"], done["locked"], done["broken"]) == (1, 0, 0)
        [left] = terminal.json("keys", "status")
        assert (left["role"], left["secrets"], left["id"] == old["id"]) == ("seals", 1, False)

    def test_leave_a_trail(self, terminal: Terminal, key_file: Path) -> None:
        [old] = terminal.json("keys", "status")
        terminal.run("keys", "add")
        terminal.run("keys", "rotate")
        age(key_file)
        terminal.run("keys", "remove", old["id"], "--yes")

        with terminal.database.reading() as session:
            query = select(AuditEntry.action).where(AuditEntry.organization_id == SYSTEM_ORGANIZATION_ID)
            actions = list(session.scalars(query.order_by(AuditEntry.id)))
        assert actions == ["keys.added", "keys.rotation_began", "keys.rotated", "keys.removed"]

    def test_stay_while_something_is_sealed_with_them(self, terminal: Terminal, job: UUID, key_file: Path) -> None:
        [old] = terminal.json("keys", "status")
        terminal.run("keys", "add")
        age(key_file)

        result = terminal.run("keys", "remove", old["id"], "--yes")

        assert isinstance(result.exception, KeyInUse)
        assert len(terminal.json("keys", "status")) == 2

    def test_stay_for_a_minute_after_a_newer_one_came(self, terminal: Terminal, key_file: Path) -> None:
        [old] = terminal.json("keys", "status")
        terminal.run("keys", "add")

        result = terminal.run("keys", "remove", old["id"], "--yes")

        assert isinstance(result.exception, KeyNotRemovable)
        assert "Try again in a minute" in str(result.exception)

    @pytest.mark.parametrize(("which", "words"), [("newest", "seals. First run"), ("00000000", "There is no key")])
    def test_are_removed_only_when_they_are_old_ones(self, terminal: Terminal, which: str, words: str) -> None:
        [key] = terminal.json("keys", "status")

        result = terminal.run("keys", "remove", key["id"] if which == "newest" else which, "--yes")

        assert isinstance(result.exception, KeyNotRemovable)
        assert words in str(result.exception)

    def test_that_are_missing_are_named_and_make_the_rotation_fail(
        self, terminal: Terminal, job: UUID, key_file: Path
    ) -> None:
        [lost] = terminal.json("keys", "status")
        key_file.unlink()

        result = terminal.run("keys", "rotate")

        assert result.exit_code == 1
        assert "Secrets sealed with a key that is missing: 1." in result.output
        assert {(key["id"], key["role"]) for key in terminal.json("keys", "status")} >= {(lost["id"], "missing")}


class TestKeysOfTheEnvironment:
    def test_are_changed_there(self, terminal: Terminal, job: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BELFRY_VAULT_KEYS", vault_key(5))

        results = [terminal.run("keys", *words) for words in (["add"], ["remove", "00000000", "--yes"])]

        assert [type(result.exception) for result in results] == [KeysNotInFile, KeysNotInFile]

    def test_rotate_when_the_new_one_stands_first(self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BELFRY_VAULT_KEYS", vault_key(5))
        terminal.run("jobs", "create", "Call", "--kind", "workflow", "--definition", json.dumps(CALL))
        monkeypatch.setenv("BELFRY_VAULT_KEYS", f"{vault_key(6)},{vault_key(5)}")

        done = terminal.json("keys", "rotate")

        with terminal.database.reading() as session:
            assert session.scalars(select(Secret.key_id)).one() == done["newest_key_id"]
        assert done["resealed"] == 1

    def test_have_to_be_there_in_production(self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BELFRY_ENV", "production")

        result = terminal.run("keys", "status")

        assert isinstance(result.exception, VaultKeysMissing)
