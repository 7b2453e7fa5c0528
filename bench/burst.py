"""Ten thousand schedules due in one second: how long until every slot is in the books, beside the least to be written.

The floor is one INSERT … SELECT of as many runs and one UPDATE of the same schedules, on the same tables. Beside it, a
thousand due at once, until a worker with eight slots has executed them all.
"""

import argparse
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text, update

from app.core.clock import DatabaseClock
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from bench.crowd import add_schedules, make_due_again, many_rhythms
from bench.figures import ROUNDS, median_of_rounds, print_figures
from bench.installation import Installation, installation, worker
from bench.services import Engine
from bench.timekeeper import Timekeeper, timekeeper

NOON = datetime(2027, 1, 5, 12, tzinfo=UTC)
EXECUTED = 1_000
SLOTS = 8
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 120

# What a run copies, and nothing else of what a tick does.
FLOOR = (
    text(
        """
INSERT INTO runs (id, organization_id, job_id, schedule_id, slot_at, due_at, trigger, kind, definition, job_name, tries,
    retry_delay_seconds, retry_backoff, time_limit_seconds, state, attempt, token, ready_at, created_at)
SELECT s.id, s.organization_id, s.job_id, s.id, s.next_run_at, s.next_run_at, 'schedule', j.kind, j.definition, j.name,
    j.tries, j.retry_delay_seconds, j.retry_backoff, j.time_limit_seconds, 'ready', 0, 0, s.next_run_at, s.next_run_at
FROM schedules AS s JOIN jobs AS j ON j.id = s.job_id WHERE s.next_run_at <= :noon
"""
    ),
    update(Schedule).where(Schedule.next_run_at <= NOON).values(next_run_at=NOON + timedelta(minutes=5)),
)


def measure_floor(place: Installation) -> float:
    """The two statements and their commit."""
    insert_runs, move_cursors = FLOOR
    make_due_again(place, NOON)
    with place.database.reading() as session:
        session.scalar(select(func.count()).select_from(Run))
    began = time.perf_counter()
    with place.database.transaction() as session:
        session.execute(insert_runs.bindparams(noon=NOON.replace(tzinfo=None) if _is_file(place) else NOON))
        session.execute(move_cursors)
    return time.perf_counter() - began


def measure_tick(place: Installation, keeper: Timekeeper, schedules: int) -> float:
    make_due_again(place, NOON)
    seconds = keeper.seconds_for_tick(NOON + timedelta(milliseconds=5))
    with place.database.reading() as session:
        opened = session.scalar(select(func.count()).select_from(Run))
        open_still = session.scalar(select(func.count()).select_from(Schedule).where(Schedule.next_run_at <= NOON))
    if (opened, open_still) != (schedules, 0):
        raise SystemExit(f"{opened} runs of {schedules} slots, {open_still} of them still open")
    return seconds


def measure_execution(place: Installation) -> float:
    """From the instant of a thousand slots to the end of the last of their runs."""
    with place.database.transaction() as session:
        for table in ("events", "attempts", "runs", "schedule_versions", "schedules"):
            session.execute(text(f"DELETE FROM {table}"))
        now = DatabaseClock().now(session)
    slot_at = (now + timedelta(seconds=65)).replace(second=0, microsecond=0)
    add_schedules(place, EXECUTED, due_at=slot_at, rhythms=[("* * * * *", "UTC")], label=f"At {slot_at:%H:%M}")
    is_over = Run.slot_at == slot_at, Run.state == RunState.SUCCEEDED.value
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        time.sleep(LOOK_SECONDS)
        with place.database.reading() as session:
            ended, last = session.execute(select(func.count(), func.max(Run.finished_at)).where(*is_over)).one()
        if ended == EXECUTED:
            return float((last - slot_at).total_seconds())
    raise SystemExit(f"only {ended} of {EXECUTED} runs ended in time")


def _is_file(place: Installation) -> bool:
    return not place.database.is_postgres


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with installation(options.engine, BELFRY_WORKERS=str(SLOTS)) as place:
        add_schedules(place, options.schedules, due_at=NOON, rhythms=many_rhythms())
        with timekeeper(place) as keeper:
            first = measure_tick(place, keeper, options.schedules)

            def measure() -> dict[str, float]:
                floor, tick = measure_floor(place), measure_tick(place, keeper, options.schedules)
                return {"slots_committed_s": tick, "floor_s": floor, "ratio": tick / floor}

            figures = median_of_rounds(measure, rounds=options.rounds)
        with worker("bench.quick_worker"):
            rounds = median_of_rounds(lambda: {"executed_1000_s": measure_execution(place)}, rounds=options.rounds)
    print_figures("burst", options.engine, {**figures, "first_tick_s": first, **rounds})


if __name__ == "__main__":
    main()
