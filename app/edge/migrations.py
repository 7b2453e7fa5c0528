"""Bringing the database up to date, by one process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
from flask import Flask

from app.core.paths import MIGRATIONS
from app.edge.runtime import EXTENSION


def upgrade_database(app: Flask, *, lock_file: Path) -> None:
    """Run the outstanding migrations. A second process waits for the first and then finds nothing to do."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    # Only here: who serves pages does without it, and without the memory that it takes.
    flask_migrate.Migrate(app, app.extensions[EXTENSION].requests, directory=str(MIGRATIONS))
    with _only_one(lock_file), app.app_context():
        flask_migrate.upgrade(directory=str(MIGRATIONS))


@contextmanager
def _only_one(lock_file: Path) -> Iterator[None]:
    with lock_file.open("w") as handle:
        # The lock goes with the process, however it ends.
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
