"""How long an organization waits for its runs while another one has a long line, beside the same alone.

Both share one queue and one worker with eight slots. Measured from the moment at which its runs are ready to the start
of the first and of the last of them; and, whatever the machine, how many runs of the other one start before its first,
for each slot.
"""

import argparse
import time
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from app.core.clock import DatabaseClock
from app.jobs.kinds.base import KindName
from app.ops.capacity import live_slots
from app.queue.dispatch import make_dispatcher
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.tenants.access import Actor
from app.tenants.models import Organization
from app.tenants.roles import Role
from bench.figures import ROUNDS, median_of_rounds, print_figures
from bench.installation import Installation, installation, worker
from bench.line import LOOK_SECONDS, PATIENCE_SECONDS, Line, is_over, make_job, put_in_line, work_off
from bench.services import Engine

SLOTS = 8
# By then the worker is in full swing with the long line.
UNDER_WAY = 100


def another_organization(place: Installation) -> Installation:
    """The same installation, worked in by somebody of another organization."""
    with place.database.transaction() as session:
        other = Organization(name="Other", timezone="UTC", created_at=DatabaseClock().now(session))
        session.add(other)
        session.flush()
        return replace(place, actor=Actor(other.id, Role.OWNER, "bench"))


def waits_of(place: Installation, job_id: UUID, line: Line) -> dict[str, float]:
    """Milliseconds from being ready to the first and to the last start, once all have started."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    started = select(func.count(Run.started_at), func.min(Run.started_at), func.max(Run.started_at))
    while time.monotonic() < give_up:
        with place.database.reading() as session:
            number, first, last = session.execute(started.where(Run.job_id == job_id, _made_with(line))).one()
        if number == line.length and first is not None and last is not None:
            return {"first_ms": _milliseconds(line, first), "last_ms": _milliseconds(line, last)}
        time.sleep(LOOK_SECONDS)
    raise SystemExit("not all runs started in time")


def measure(place: Installation, job_id: UUID, crowd_id: UUID, *, few: int, many: int) -> dict[str, float]:
    """The same few runs alone, and then behind the many of another organization."""
    line = put_in_line(place, job_id, few)
    work_off(place, line)
    alone = waits_of(place, job_id, line)
    put_in_line(place, crowd_id, many)
    _dispatch(place)
    _wait_until_under_way(place, crowd_id)
    line = put_in_line(place, job_id, few)
    _dispatch(place)
    beside = waits_of(place, job_id, line)
    figures = {
        **beside,
        **{f"alone_{name}": value for name, value in alone.items()},
        "first_ratio": beside["first_ms"] / alone["first_ms"],
        "last_ratio": beside["last_ms"] / alone["last_ms"],
        "others_per_slot": _others_before_first(place, job_id, crowd_id, line) / SLOTS,
    }
    _clear(place, crowd_id)
    return figures


def _made_with(line: Line) -> ColumnElement[bool]:
    return Run.created_at == line.created_at


def _milliseconds(line: Line, at: datetime) -> float:
    return (at - line.created_at).total_seconds() * 1000


def _dispatch(place: Installation) -> None:
    make_dispatcher(place.settings, place.database, DatabaseClock(), live_slots=live_slots).dispatch()


def _wait_until_under_way(place: Installation, crowd_id: UUID) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    ended = select(func.count()).where(Run.job_id == crowd_id, Run.finished_at.is_not(None))
    while time.monotonic() < give_up:
        with place.database.reading() as session:
            if (session.scalar(ended) or 0) >= UNDER_WAY:
                return
        time.sleep(LOOK_SECONDS)
    raise SystemExit("the long line did not begin in time")


def _others_before_first(place: Installation, job_id: UUID, crowd_id: UUID, line: Line) -> float:
    """How many runs of the other organization started between being ready and the first start."""
    with place.database.reading() as session:
        first = session.scalar(select(func.min(Run.started_at)).where(Run.job_id == job_id, _made_with(line)))
        between = Run.started_at > line.created_at, Run.started_at < first
        return float(session.scalar(select(func.count()).where(Run.job_id == crowd_id, *between)) or 0)


def _clear(place: Installation, crowd_id: UUID) -> None:
    """Take what is left of the long line away, so that the next round begins like this one."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not is_over(place):
        if time.monotonic() > give_up:
            raise SystemExit("the rest of the long line did not end in time")
        with place.database.transaction() as session:
            # A hint to a run that is gone leads to nothing.
            session.execute(delete(Run).where(Run.job_id == crowd_id, in_state(RunState.READY), Run.token == 0))
        time.sleep(LOOK_SECONDS)
    with place.database.transaction() as session:
        session.execute(delete(Run).where(Run.job_id == crowd_id, Run.token == 0))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with installation(options.engine, BELFRY_WORKERS=str(SLOTS)) as place, worker("bench.quick_worker"):
        crowd_id, other = make_job(place, KindName.WORKFLOW), another_organization(place)
        job_id = make_job(other, KindName.WORKFLOW)
        # The first runs wait for the worker to be up, and for statements to be prepared.
        work_off(other, put_in_line(other, job_id, 200))
        figures = median_of_rounds(
            lambda: measure(other, job_id, crowd_id, few=options.few, many=options.many), rounds=options.rounds
        )
    print_figures("fairness", options.engine, figures)


if __name__ == "__main__":
    main()
