"""How late scheduled runs start: schedules spread over a minute, on an otherwise idle installation.

From the slot to the first line of the job. Slots lie between whole minutes, where no line of cron has one, so they are
put into the cursors by hand, shortly before, and the worker of the benchmark is told to believe them. A sweep that
comes by meanwhile mends those: they are not counted.
"""

import argparse
import time
from datetime import timedelta

from sqlalchemy import select, update

from app.core.clock import DatabaseClock
from app.jobs.kinds.base import KindName
from app.runs.models import Attempt, Run
from app.schedules.models import Schedule
from app.schedules.service import ScheduleDraft, create_schedule
from bench.figures import percentile, print_figures
from bench.installation import Installation, installation, worker
from bench.line import make_job
from bench.services import Engine

MINUTE = 60.0
# The scheduler looks what comes next once a second.
LEAD = timedelta(seconds=2.5)
END_SECONDS = 5.0
# So many of a hundred slots have to be seen.
LEAST_SEEN = 90
# A line that fires long after the benchmark, so that only what is put into the cursors comes due.
NEVER_NOW = "0 0 29 2 *"


def prepare(place: Installation, number: int) -> list[str]:
    """Schedules of a job that does nothing, which are not due for a long time."""
    job_id = make_job(place, KindName.WORKFLOW)
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        names = [f"Schedule {position}" for position in range(number)]
        for name in names:
            draft = ScheduleDraft(name, job_id, NEVER_NOW, "UTC", name)
            create_schedule(session, actor=place.actor, draft=draft, now=now)
    return names


def spread(place: Installation, names: list[str], began: float) -> None:
    """Give each a slot of its own in this minute."""
    for position, name in enumerate(names):
        time.sleep(max(began + position * MINUTE / len(names) - time.monotonic(), 0))
        with place.database.transaction() as session:
            slot = DatabaseClock().now(session) + LEAD
            session.execute(update(Schedule).where(Schedule.name == name).values(next_run_at=slot))


def collect(place: Installation) -> list[float]:
    """Milliseconds from the slot to the start of the job, of every run."""
    time.sleep(END_SECONDS)
    query = select(Attempt.result, Run.slot_at).join(Run, Run.id == Attempt.run_id)
    with place.database.reading() as session:
        found = session.execute(query.where(Attempt.finished_at.is_not(None))).all()
    return [(result["began_at"] - slot_at.timestamp()) * 1000 for result, slot_at in found]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--schedules", type=int, default=300)
    parser.add_argument("--minutes", type=int, default=4)
    options = parser.parse_args()
    with installation(options.engine, BELFRY_SWEEP_SECONDS="60") as place, worker("bench.quick_worker"):
        names = prepare(place, options.schedules)
        began = time.monotonic()
        for minute in range(options.minutes):
            spread(place, names, began + minute * MINUTE)
        late = collect(place)
    if len(late) * 100 < LEAST_SEEN * options.minutes * options.schedules:
        raise SystemExit(f"only {len(late)} of {options.minutes * options.schedules} slots were seen")
    figures = {f"p{percent}_ms": percentile(late, percent) for percent in (50, 95, 99)}
    print_figures("lateness", options.engine, {**figures, "max_ms": max(late), "samples": len(late)})


if __name__ == "__main__":
    main()
