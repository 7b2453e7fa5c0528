"""What `belfry up` starts finds Belfry, and stays in the folder it was started in."""

import os
import subprocess
import sys
from pathlib import Path

from app.cli.children import children_of, surroundings
from app.core.paths import ROOT


class TestSurroundings:
    def test_name_the_parent_and_keep_the_rest(self) -> None:
        seen = surroundings({"BELFRY_WORKERS": "3"}, folder=Path("/srv"), parent=7)

        assert (seen["BELFRY_WORKERS"], seen["BELFRY_SUPERVISOR_PID"]) == ("3", "7")

    def test_look_for_modules_in_belfry_first_and_in_the_folder_last(self) -> None:
        seen = surroundings({"PYTHONPATH": "/srv/jobs"}, folder=Path("/srv"), parent=7)

        assert seen["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "/srv/jobs", "/srv"]

    def test_are_not_misled_by_modules_of_the_same_name(self, tmp_path: Path) -> None:
        (tmp_path / "wsgi.py").write_text("")
        (tmp_path / "app.py").write_text("")
        environment = surroundings(os.environ, folder=tmp_path, parent=os.getpid())
        program = "import app, importlib.util as u; print(app.__file__, u.find_spec('wsgi').origin)"

        found = subprocess.run(
            [sys.executable, "-P", "-c", program],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()

        assert found == [str(ROOT / "app" / "__init__.py"), str(ROOT / "wsgi.py")]


class TestChildren:
    def test_are_web_and_worker(self) -> None:
        web, worker = children_of(Path("/srv"))

        assert [web.name, worker.name] == ["web", "worker"]
        assert web.command[-2:] == ["--chdir", "/srv"]
        assert Path(web.command[web.command.index("--config") + 1]).is_file()
