"""The directory of a demo: never somebody's, and one demo's at a time."""

from pathlib import Path

import pytest

from app.core.demo import MARK, is_marked
from demo.folder import DemoRunning, FolderBroken, FolderForeign, open_folder
from tests.fakes.clock import utc

NOW = utc("2026-11-20 12:00")


class TestAFolder:
    def test_is_made_and_marked(self, tmp_path: Path) -> None:
        with open_folder(tmp_path / "var" / "demo", now=NOW) as held:
            assert is_marked(held.path)
            assert held.begun == NOW

    def test_remembers_when_the_demo_began(self, tmp_path: Path) -> None:
        with open_folder(tmp_path, now=NOW):
            pass

        with open_folder(tmp_path, now=utc("2026-12-24 18:00")) as held:
            assert held.begun == NOW

    @pytest.mark.parametrize("name", ["belfry.db", "letters.txt", ".env"])
    def test_of_somebody_else_is_left_as_it_is(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("mine")

        with pytest.raises(FolderForeign, match="make demo DEMO_DIR="), open_folder(tmp_path, now=NOW):
            pass

        assert [file.name for file in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == "mine"

    def test_is_no_file(self, tmp_path: Path) -> None:
        file = tmp_path / "demo"
        file.write_text("mine")

        with pytest.raises(FolderForeign), open_folder(file, now=NOW):
            pass

    def test_is_held_by_one_demo(self, tmp_path: Path) -> None:
        with (
            open_folder(tmp_path, now=NOW),
            pytest.raises(DemoRunning, match="A demo runs in"),
            open_folder(tmp_path, now=NOW),
        ):
            pass

    @pytest.mark.parametrize("content", ["", "{}", '{"begun": 7}', '{"begun": "yesterday"}', "[]"])
    def test_whose_mark_is_broken_is_refused(self, tmp_path: Path, content: str) -> None:
        (tmp_path / MARK).write_text(content)

        with pytest.raises(FolderBroken, match="Delete"), open_folder(tmp_path, now=NOW):
            pass

    def test_keeps_its_settings_to_its_owner(self, tmp_path: Path) -> None:
        with open_folder(tmp_path, now=NOW) as held:
            held.write_settings({"BELFRY_DEMO": "on"})

        file = tmp_path / ".env"
        assert "BELFRY_DEMO=on\n" in file.read_text()
        assert file.stat().st_mode & 0o077 == 0
