"""Functions that write down themselves when they start and end, and hold a lock for as long as they work."""

import fcntl
import json
import os
import time
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel

from app.jobs.kinds.code.catalog import job
from app.jobs.kinds.code.context import FunctionContext

JOURNAL = "journal.jsonl"


class Work(BaseModel):
    """Where to write, and how long to work."""

    folder: str
    seconds: float


@job("work_again", title="Work again", summary="May be repeated.", idempotent=True)
def work_again(context: FunctionContext, arguments: Work) -> None:
    work(context.run_id, arguments)


@job("work_once", title="Work once", summary="Must not be repeated.", idempotent=False)
def work_once(context: FunctionContext, arguments: Work) -> None:
    work(context.run_id, arguments)


def work(run_id: UUID, arguments: Work) -> None:
    """The kernel lets go of the lock when the process dies, however it dies."""
    folder = Path(arguments.folder)
    with (folder / f"{run_id}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(folder, run_id, "overlap")
            return
        note(folder, run_id, "start")
        time.sleep(arguments.seconds)
        note(folder, run_id, "end")


def note(folder: Path, run_id: UUID, what: str) -> None:
    """One line in one write, which the kernel appends whole."""
    line = {"what": what, "run": str(run_id), "pid": os.getpid(), "at": time.clock_gettime(time.CLOCK_BOOTTIME)}
    journal = os.open(folder / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(journal, (json.dumps(line) + "\n").encode())
    os.close(journal)
