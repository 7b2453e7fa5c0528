"""The secret key: made once for an embedded installation, demanded in production."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from app.core.config import read_settings
from app.core.keys import with_secret_key
from app.core.setting_reader import SettingInvalid


class TestTheSecretKey:
    def test_is_made_once_and_readable_by_its_owner_alone(self, tmp_path: Path) -> None:
        settings = read_settings({}, folder=tmp_path)

        keys = {with_secret_key(settings).secret_key for _ in range(2)}

        assert len(keys) == 1
        assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600

    def test_is_one_and_whole_when_several_start_at_once(self, tmp_path: Path) -> None:
        settings = read_settings({}, folder=tmp_path)
        together = Barrier(8)

        def start(_number: int) -> str | None:
            together.wait()
            return with_secret_key(settings).secret_key

        with ThreadPoolExecutor(8) as pool:
            keys = set(pool.map(start, range(8)))

        assert {len(key or "") for key in keys} == {64}
        assert len(keys) == 1
        assert [file.name for file in (tmp_path / "var").iterdir()] == ["secret_key"]

    @pytest.mark.parametrize("stored", ["", "half of a key"])
    def test_is_refused_when_its_file_holds_less_than_one(self, tmp_path: Path, stored: str) -> None:
        settings = read_settings({}, folder=tmp_path)
        settings.data_dir.mkdir()
        (settings.data_dir / "secret_key").write_text(stored)

        with pytest.raises(SettingInvalid, match=r"var/secret_key is incomplete\. Delete that file"):
            with_secret_key(settings)

    def test_has_to_be_given_in_production(self, tmp_path: Path) -> None:
        settings = read_settings({"BELFRY_ENV": "production"}, folder=tmp_path)

        with pytest.raises(SettingInvalid, match="BELFRY_SECRET_KEY is not set"):
            with_secret_key(settings)

    def test_must_not_be_a_typed_word_in_production(self, tmp_path: Path) -> None:
        environ = {"BELFRY_ENV": "production", "BELFRY_SECRET_KEY": "changeme" * 5}

        with pytest.raises(SettingInvalid, match="too simple"):
            with_secret_key(read_settings(environ, folder=tmp_path))
