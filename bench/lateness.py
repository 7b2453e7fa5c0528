"""How late scheduled runs start: every minute some schedules come due, on an otherwise idle installation."""

import argparse
import json
import statistics
import time

from sqlalchemy import select

from app.core.clock import DatabaseClock
from app.jobs.kinds.base import KindName
from app.jobs.service import JobDraft, create_job
from app.ops.kinds import job_kinds
from app.runs.models import Run
from app.schedules.service import ScheduleDraft, create_schedule
from bench.installation import Installation, installation, worker
from bench.services import Engine

LOOK_SECONDS = 1.0


def prepare(place: Installation, schedules: int) -> None:
    """A job that makes one quick request, and schedules that start it every minute."""
    step = {"name": "Ask", "method": "GET", "url": place.url}
    draft = JobDraft("Ask", KindName.WORKFLOW, {"steps": [step]})
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        job_id = create_job(session, actor=place.actor, kinds=job_kinds(place.settings), draft=draft, now=now)
        for number in range(schedules):
            every_minute = ScheduleDraft(f"Schedule {number}", job_id, "* * * * *", "UTC", f"key-{number}")
            create_schedule(session, actor=place.actor, draft=every_minute, now=now)


def collect(place: Installation, wanted: int, deadline: float) -> list[float]:
    """Lateness in milliseconds of every run that started, once there are as many as wanted."""
    while time.monotonic() < deadline:
        with place.database.reading() as session:
            query = select(Run.started_at, Run.slot_at).where(Run.started_at.is_not(None), Run.slot_at.is_not(None))
            found = [(start - slot).total_seconds() * 1000 for start, slot in session.execute(query)]
        if len(found) >= wanted:
            return sorted(found[:wanted])
        time.sleep(LOOK_SECONDS)
    raise SystemExit(f"only {len(found)} of {wanted} runs started in time")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--schedules", type=int, default=12)
    parser.add_argument("--starts", type=int, default=60)
    options = parser.parse_args()
    minutes = options.starts / options.schedules
    with installation(options.engine) as place, worker():
        prepare(place, options.schedules)
        late = collect(place, options.starts, time.monotonic() + (minutes + 2) * 60)
    cuts = statistics.quantiles(late, n=100, method="inclusive")
    figures = {"p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98]}
    rounded = {name: round(value, 1) for name, value in figures.items()}
    print(json.dumps({"bench": "lateness", "engine": options.engine, "starts": len(late), **rounded}))


if __name__ == "__main__":
    main()
