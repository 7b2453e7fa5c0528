"""Where the keys that seal come from, and what is refused as a key."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from app.core.config import Settings, read_settings
from app.core.key_rings import (
    GivenKeys,
    KeyFile,
    VaultKeyInvalid,
    VaultKeysMissing,
    key_file,
    key_ring,
    new_key,
    parse_keys,
)
from app.core.keys import with_keys
from app.core.setting_reader import SettingInvalid
from tests.fakes.vault import vault_key

OLD, NEW = vault_key(1), vault_key(2)
PRODUCTION = {"BELFRY_ENV": "production", "BELFRY_SECRET_KEY": "Zx9-kqLw2mVb7RtYp4NsDf6GhJ1cQaEu"}


def read(folder: Path, **environ: str) -> Settings:
    return read_settings(environ, folder=folder)


def ids(*texts: str) -> list[str]:
    return [key.id for key in parse_keys(texts, source="a test")]


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    path = tmp_path / "vault_keys"
    path.write_text(f"# ours\n\n{OLD}\n")
    return KeyFile(path, is_made=False)


class TestAnEmbeddedInstallation:
    def test_makes_its_key_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        settings = read(tmp_path)

        made = {key_ring(settings).all_keys()[0].id for _ in range(2)}

        assert len(made) == 1
        assert stat.S_IMODE((tmp_path / "var" / "vault_keys").stat().st_mode) == 0o600

    def test_has_one_key_when_several_start_at_once(self, tmp_path: Path) -> None:
        settings, together = read(tmp_path), Barrier(8)

        def start(_number: int) -> str:
            together.wait()
            return key_ring(settings).all_keys()[0].id

        with ThreadPoolExecutor(8) as pool:
            made = set(pool.map(start, range(8)))

        assert len(made) == 1
        assert [path.name for path in (tmp_path / "var").iterdir()] == ["vault_keys"]

    def test_makes_it_with_its_other_key_before_anything_is_served(self, tmp_path: Path) -> None:
        with_keys(read(tmp_path))

        assert {path.name for path in (tmp_path / "var").iterdir()} == {"secret_key", "vault_keys"}

    def test_uses_keys_that_it_is_given_instead(self, tmp_path: Path) -> None:
        settings = read(tmp_path, BELFRY_VAULT_KEYS=f"{NEW}, {OLD}")

        assert [key.id for key in key_ring(settings).all_keys()] == ids(NEW, OLD)
        assert key_file(settings) is None


class TestOthers:
    @pytest.mark.parametrize(
        "environ",
        [
            PRODUCTION,
            {"BELFRY_DATABASE_URL": "postgresql://belfry:x@db/belfry", "BELFRY_SECRET_KEY": "k" * 48},
            {"BELFRY_BROKER_URL": "redis://queue", "BELFRY_SECRET_KEY": "k" * 48},
        ],
    )
    def test_do_not_start_without_keys_and_are_told_how_to_make_one(
        self, tmp_path: Path, environ: dict[str, str]
    ) -> None:
        with pytest.raises(VaultKeysMissing, match=r"BELFRY_VAULT_KEYS is not set.*belfry keys new"):
            with_keys(read(tmp_path, **environ))

    def test_start_with_keys_from_the_environment(self, tmp_path: Path) -> None:
        settings = with_keys(read(tmp_path, BELFRY_VAULT_KEYS=NEW, **PRODUCTION))

        assert settings.vault_keys == (NEW,)

    def test_start_with_keys_from_a_file(self, tmp_path: Path, file: KeyFile) -> None:
        settings = with_keys(read(tmp_path, BELFRY_VAULT_KEYS_FILE="vault_keys", **PRODUCTION))

        assert [key.id for key in key_ring(settings).all_keys()] == ids(OLD)

    def test_do_not_start_when_the_file_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(VaultKeysMissing, match=r"vault_keys cannot be read: No such file"):
            with_keys(read(tmp_path, BELFRY_VAULT_KEYS_FILE="vault_keys", **PRODUCTION))

    def test_are_not_told_twice_where_the_keys_are(self, tmp_path: Path) -> None:
        with pytest.raises(SettingInvalid, match="BELFRY_VAULT_KEYS_FILE") as refused:
            read(tmp_path, BELFRY_VAULT_KEYS=NEW, BELFRY_VAULT_KEYS_FILE="vault_keys")

        assert NEW not in str(refused.value)

    def test_do_not_use_one_key_for_everything(self, tmp_path: Path) -> None:
        with pytest.raises(SettingInvalid, match="hold the same key") as refused:
            with_keys(read(tmp_path, BELFRY_VAULT_KEYS=NEW, BELFRY_SECRET_KEY=NEW))

        assert NEW not in str(refused.value)


class TestAKey:
    def test_that_is_new_is_one_and_is_like_no_other(self) -> None:
        made = [new_key() for _ in range(50)]

        assert len(set(ids(*made))) == 50

    def test_counts_once_however_it_is_padded(self) -> None:
        assert ids(NEW, f"{NEW}=", NEW) == ids(NEW)

    @pytest.mark.parametrize(
        "text", ["", "changeme", NEW[:-1], NEW + "AAAA", NEW[:-2] + "é=", f"{NEW[:20]} {NEW[20:]}"]
    )
    def test_that_is_none_is_named_by_its_place(self, text: str) -> None:
        with pytest.raises(VaultKeyInvalid, match="Key 2 in a test is no key") as refused:
            parse_keys([OLD, text], source="a test")

        assert not text or text not in str(refused.value)

    def test_that_nobody_threw_is_refused(self) -> None:
        with pytest.raises(VaultKeyInvalid, match="too simple"):
            parse_keys(["A" * 43], source="a test")

    def test_in_the_environment_is_looked_at_before_anything_starts(self, tmp_path: Path) -> None:
        with pytest.raises(VaultKeyInvalid, match="Key 1 in BELFRY_VAULT_KEYS"):
            with_keys(read(tmp_path, BELFRY_VAULT_KEYS="changeme", **PRODUCTION))


class TestAKeyFile:
    def test_is_read_again_when_it_has_changed(self, file: KeyFile) -> None:
        before = [key.id for key in file.all_keys()]

        KeyFile(file.path, is_made=False).add(NEW)

        assert (before, [key.id for key in file.all_keys()]) == (ids(OLD), ids(NEW, OLD))

    def test_finds_a_key_that_came_a_moment_ago(self, file: KeyFile) -> None:
        file.all_keys()
        KeyFile(file.path, is_made=False).add(NEW)

        found = file.find(ids(NEW)[0])

        assert found is not None
        assert found.id == ids(NEW)[0]

    def test_opens_with_what_it_read_while_it_is_away(self, file: KeyFile) -> None:
        file.all_keys()
        file.path.unlink()

        assert file.find(ids(OLD)[0]) is not None
        assert file.find(ids(NEW)[0]) is None

    def test_keeps_its_comments_and_who_may_read_it(self, file: KeyFile) -> None:
        file.path.chmod(0o640)

        file.add(NEW)
        file.remove(ids(OLD)[0])

        assert file.path.read_text() == f"# ours\n\n{NEW}\n"
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o640

    def test_loses_none_of_several_that_are_added_at_once(self, file: KeyFile) -> None:
        added = [vault_key(number) for number in range(10, 30)]

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(file.add, added))

        assert {key.id for key in file.all_keys()} == set(ids(OLD, *added))

    def test_without_a_key_is_refused(self, file: KeyFile) -> None:
        file.path.write_text("# nothing yet\n")

        with pytest.raises(VaultKeysMissing, match="holds no key"):
            file.all_keys()


class TestGivenKeys:
    def test_know_only_what_they_were_given(self) -> None:
        ring = GivenKeys((NEW, OLD))

        assert ring.find(ids(OLD)[0]) is not None
        assert ring.find("00000000") is None
