"""Whoever serves the pages is told where, in a process of its own, or why not."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fakes.vault import VAULT_KEY

COMMAND = [sys.executable, "-P", "-m", "app.core.serving"]


def ask(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BELFRY_")}
    own = {"BELFRY_DATA_DIR": str(folder), "BELFRY_VAULT_KEY": VAULT_KEY, **settings}
    return subprocess.run(COMMAND, env=kept | own, cwd=folder, capture_output=True, text=True, check=False)


class TestServing:
    def test_tells_where_and_by_how_many(self, tmp_path: Path) -> None:
        told = ask(tmp_path, BELFRY_LISTEN="127.0.0.1:8123", BELFRY_WEB_PROCESSES="3")

        assert json.loads(told.stdout) == {"host": "127.0.0.1", "port": 8123, "processes": 3}

    def test_refuses_in_one_sentence(self, tmp_path: Path) -> None:
        told = ask(tmp_path, BELFRY_LISTEN="nowhere")

        assert told.returncode == 1
        assert not told.stdout
        assert "BELFRY_LISTEN" in told.stderr
        assert "Traceback" not in told.stderr
