"""Runs one server for the tests, and ends it when they end. A process of its own, because workers come and go."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from app.core.process import die_with_parent

ALIVE = "alive"
# PostgreSQL's immediate shutdown: its data is thrown away next, but its shared memory must not stay.
HOW_TO_END = {"postgres": signal.SIGQUIT}


def main(folder: Path, name: str, user: str, command: list[str]) -> None:
    """Hold `<name>.keeper` from before the server starts until after it has ended."""
    how = HOW_TO_END.get(name, signal.SIGTERM)
    keeper_pid = os.getpid()
    with (folder / f"{name}.keeper").open("w") as held, (folder / ALIVE).open("r+") as alive:
        fcntl.flock(held, fcntl.LOCK_EX)
        with (folder / f"{name}.log").open("w") as log:
            server = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=int(user) if user else None,
                extra_groups=[] if user else None,
                # Safe here, as this process has one thread.
                preexec_fn=lambda: die_with_parent(keeper_pid, how),  # noqa: PLW1509
            )
        # Free when the process that was started as pytest closes it, or is gone.
        fcntl.flock(alive, fcntl.LOCK_EX)
        server.send_signal(how)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
