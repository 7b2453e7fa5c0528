"""Folders of tests in memory: on a disk, SQLite waits for it at every commit of every test."""

import os
import shutil
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
# What tests keep at once is far less; a container may have next to nothing there.
ROOM_BYTES = 2 * 1024**3
_NAME = "belfry-tests-"


def make_folder() -> Path | None:
    """A folder for the files of this test run, named after its process; None where memory has no room for it."""
    if not SHARED_MEMORY.is_dir() or shutil.disk_usage(SHARED_MEMORY).free < ROOM_BYTES:
        return None
    _clear_abandoned()
    folder = SHARED_MEMORY / f"{_NAME}{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _clear_abandoned() -> None:
    """Take away what runs have left that were killed."""
    for folder in SHARED_MEMORY.glob(f"{_NAME}*"):
        if not Path("/proc", folder.name.removeprefix(_NAME)).exists():
            shutil.rmtree(folder, ignore_errors=True)
