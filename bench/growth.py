"""What a tick of ten due schedules costs beside a hundred, ten thousand and a hundred thousand that are not due.

Beside it, what claiming and handing out cost with a long history and a long line.
"""

import argparse
import statistics
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, update

from app.events.models import Event
from app.runs.models import Run
from app.schedules.models import Schedule
from bench import growth_claims
from bench.crowd import add_schedules, settle
from bench.figures import print_figures
from bench.installation import Installation, installation
from bench.services import Engine
from bench.timekeeper import Timekeeper, timekeeper

NOON = datetime(2027, 1, 5, 12, tzinfo=UTC)
SIZES = (100, 10_000, 100_000)
DUE = 10
TICKS = 25


def measure_tick(place: Installation, keeper: Timekeeper) -> float:
    """The median of many ticks in milliseconds, each of the same ten schedules."""
    found = []
    for _ in range(TICKS):
        with place.database.transaction() as session:
            for table in (Event, Run):
                session.execute(delete(table))
            session.execute(update(Schedule).where(Schedule.name.startswith("Due ")).values(next_run_at=NOON))
        found.append(keeper.seconds_for_tick(NOON + timedelta(milliseconds=5)) * 1000)
    return statistics.median(found)


def measure_ticks(place: Installation, sizes: tuple[int, ...]) -> dict[str, float]:
    figures, there = {}, DUE
    add_schedules(place, DUE, due_at=NOON, rhythms=[("* * * * *", "UTC")], label="Due")
    with timekeeper(place) as keeper:
        for size in sizes:
            later = NOON + timedelta(days=1)
            add_schedules(place, size - there, due_at=later, rhythms=[("0 12 * * *", "UTC")], label=f"Later, of {size}")
            there = size
            measure_tick(place, keeper)
            settle(place)
            figures[f"tick_{size}_ms"] = measure_tick(place, keeper)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--line", type=int, default=100_000)
    options = parser.parse_args()
    with installation(options.engine) as place:
        ticks = measure_ticks(place, tuple(options.sizes))
    values = list(ticks.values())
    figures = {**ticks, "tick_ratio": max(values) / values[0]}
    with installation(options.engine) as place:
        figures |= growth_claims.compare(place, history=options.history, line=options.line)
    print_figures("growth", options.engine, figures)


if __name__ == "__main__":
    main()
