"""What an installation at rest holds in memory: the proportional set size of web and worker, with their children."""

import argparse
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from uuid import UUID

from app.cli.children import children_of, surroundings
from app.jobs.kinds.base import KindName
from bench.figures import ROUNDS, median_of_rounds, print_figures
from bench.installation import STOP_SECONDS, Installation, free_port, installation
from bench.line import make_job, put_in_line, work_off
from bench.services import Engine

START_SECONDS = 30.0
# Until threads have looked around once and what a start leaves behind is gone.
REST_SECONDS = 5.0
KIB_PER_MIB = 1024


def proportional_kib(pid: int) -> int:
    """Memory of a process, what it shares counted in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def tree_of(pid: int) -> list[int]:
    """A process and all below it."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [pid, *(one for child in children for one in tree_of(child))]


def mib_of(process: subprocess.Popen[bytes]) -> float:
    return sum(proportional_kib(pid) for pid in tree_of(process.pid)) / KIB_PER_MIB


def ask(url: str) -> None:
    """One page, so that all is loaded that serving needs."""
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)


def measure(place: Installation, job_id: UUID) -> dict[str, float]:
    """Start both as `belfry up` does, have each do something once, and let them rest."""
    folder = place.settings.data_dir
    environment = surroundings(os.environ, folder=folder, parent=os.getpid())
    web, worker = (subprocess.Popen(child.command, env=environment) for child in children_of(folder))
    try:
        ask(f"http://127.0.0.1:{place.settings.listen_port}/login")
        # A function too: what its start keeps ready belongs to the worker.
        work_off(place, put_in_line(place, job_id, 1))
        time.sleep(REST_SECONDS)
        return {"web_mib": mib_of(web), "worker_mib": mib_of(worker)}
    finally:
        for process in (web, worker):
            process.send_signal(signal.SIGTERM)
        for process in (web, worker):
            process.wait(STOP_SECONDS)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    if not Path("/proc/self/smaps_rollup").exists():
        sys.exit("Proportional set sizes are told by Linux alone.")
    own = {"BELFRY_LISTEN": f"127.0.0.1:{free_port()}", "BELFRY_JOBS": "bench.functions"}
    with installation(options.engine, **own) as place:
        job_id = make_job(place, KindName.CODE)
        figures = median_of_rounds(lambda: measure(place, job_id), rounds=options.rounds)
    print_figures("memory", options.engine, figures)


if __name__ == "__main__":
    main()
