"""The processes that `belfry up` starts: with which words, and in which surroundings."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.core.paths import ROOT

PARENT_VARIABLE = "BELFRY_SUPERVISOR_PID"
# A process that dies at once is started again, ever more slowly, so that its message stays readable.
FIRST_PAUSE_SECONDS = 1.0


@dataclass
class Child:
    """One process that is to run."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = field(default=FIRST_PAUSE_SECONDS)

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


def children_of(folder: Path) -> list[Child]:
    """Web and worker of an installation that was started in this folder."""
    # -P: what lies in that folder must not take the place of a module of ours.
    python = [sys.executable, "-P", "-m"]
    configuration = str(ROOT / "deploy" / "gunicorn.conf.py")
    return [
        Child("web", [*python, "gunicorn", "wsgi:app", "--config", configuration, "--chdir", str(folder)]),
        Child("worker", [*python, "app.cli", "worker"]),
    ]


def surroundings(environ: Mapping[str, str], *, folder: Path, parent: int) -> dict[str, str]:
    """The environment of a child. It finds Belfry wherever it runs, and stays in the folder: `.env` lies there."""
    # The folder comes last; unless it is there already, gunicorn puts it first.
    path = [str(ROOT), environ.get("PYTHONPATH", ""), str(folder)]
    return {**environ, PARENT_VARIABLE: str(parent), "PYTHONPATH": os.pathsep.join(filter(None, path))}
