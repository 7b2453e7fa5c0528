"""The directory of a demo: its own, never an installation's, and held by one demo at a time."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.core.demo import MARK
from app.core.errors import Conflict, Unavailable


class FolderForeign(Conflict):
    """The directory holds something that no demo has put there."""


class FolderBroken(Unavailable):
    """The directory was a demo's, and cannot be read any more."""


class DemoRunning(Conflict):
    """Another process runs a demo in this directory."""


@dataclass(frozen=True)
class DemoFolder:
    """A directory that this process holds. `begun` is when the demo in it was started for the first time, in UTC."""

    path: Path
    begun: datetime

    def write_settings(self, settings: Mapping[str, str]) -> None:
        """Leave them where `belfry` finds them when it is called in this directory."""
        lines = ["# Written at each start of the demo.", *(f"{name}={value}" for name, value in settings.items())]
        file = self.path / ".env"
        file.touch(0o600)
        file.write_text("\n".join([*lines, ""]))


@contextmanager
def open_folder(path: Path, *, now: datetime) -> Iterator[DemoFolder]:
    """Hold the directory of a demo, made if there is none. Raises FolderForeign, FolderBroken or DemoRunning."""
    mark = path / MARK
    if not mark.is_file():
        _refuse_foreign(path)
        path.mkdir(parents=True, exist_ok=True)
        _make(mark, now)
    with mark.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DemoRunning(f"A demo runs in {path} already. Stop it with Ctrl-C where it was started.") from error
        yield DemoFolder(path, _begun(mark))


def _refuse_foreign(path: Path) -> None:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FolderForeign(
            f"{path} holds something that is no demo, and stays as it is. "
            "Name a new or empty directory: make demo DEMO_DIR=var/another-demo"
        )


def _make(mark: Path, now: datetime) -> None:
    draft = mark.with_name(f"{MARK}.new")
    draft.write_text(json.dumps({"demo": True, "begun": now.astimezone(UTC).isoformat()}))
    # Whole or not at all: without it, the next start would take what lies here for somebody's.
    os.replace(draft, mark)


def _begun(mark: Path) -> datetime:
    try:
        return datetime.fromisoformat(json.loads(mark.read_text())["begun"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError) as error:
        words = f"{mark} does not say when the demo began. Delete {mark.parent} and start again: nothing in it is real."
        raise FolderBroken(words) from error
