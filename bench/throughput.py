"""How many runs a second one worker with eight slots sees through, beside what huey alone does on the same broker."""

import argparse
import subprocess
import sys
from uuid import UUID

from app.jobs.kinds.base import KindName
from bench.figures import ROUNDS, median_of_rounds, print_figures
from bench.installation import Installation, installation, worker
from bench.line import make_job, put_in_line, work_off
from bench.services import Engine

SLOTS = 8


def measure_floor(place: Installation, tasks: int) -> float:
    """Tasks a second, in a process of their own like our worker."""
    command = [sys.executable, "-m", "bench.plain_huey", place.settings.broker_url, str(tasks)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(said)


def measure_line(place: Installation, job_id: UUID, length: int) -> float:
    return length / work_off(place, put_in_line(place, job_id, length))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--process-runs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    settings = {"BELFRY_WORKERS": str(SLOTS), "BELFRY_JOBS": "bench.functions"}
    with installation(options.engine, **settings) as place, worker("bench.quick_worker"):
        thread_job, process_job = make_job(place, KindName.WORKFLOW), make_job(place, KindName.CODE)
        # The first runs wait for the worker to be up, and for statements to be prepared.
        work_off(place, put_in_line(place, thread_job, 200))

        def measure() -> dict[str, float]:
            huey = measure_floor(place, options.runs)
            runs = measure_line(place, thread_job, options.runs)
            process = measure_line(place, process_job, options.process_runs)
            return {"runs_per_s": runs, "huey_per_s": huey, "ratio": runs / huey, "process_runs_per_s": process}

        figures = median_of_rounds(measure, rounds=options.rounds)
    print_figures("throughput", options.engine, figures)


if __name__ == "__main__":
    main()
