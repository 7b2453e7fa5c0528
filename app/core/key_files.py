"""Files that hold keys: made whole, replaced whole, and readable by their owner alone."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def make_key_file(path: Path, content: str) -> None:
    """Make a file, unless there is one already. Of two that make it at once, one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and then linked: whoever sees the file sees all of it.
    with _draft(path, content) as draft, suppress(FileExistsError):
        os.link(draft, path)


def change_key_file(path: Path, change: Callable[[str], str]) -> None:
    """Put other content into a file: readers see the old or the new, and a crash leaves one of them."""
    # One change at a time, or the second would undo the first.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with _draft(path, change(path.read_text())) as draft:
            os.chmod(draft, path.stat().st_mode & 0o777)
            os.replace(draft, path)
    finally:
        os.close(folder)


@contextmanager
def _draft(path: Path, content: str) -> Iterator[str]:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)
