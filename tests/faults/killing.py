"""Processes of scripts that are killed for good in the middle."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from app.core.paths import ROOT


def kill_script(script: Path, *words: str) -> str:
    """Run a script until it says how far it has come, kill it then, and tell what it said."""
    process = subprocess.Popen(
        [sys.executable, str(script), *words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return said
