"""Whether claiming and handing out get slower with a long history and a long line: medians, few rows against many."""

import statistics
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import select, text

from app.core.clock import DatabaseClock
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.ops.capacity import live_slots
from app.queue.called import Called
from app.queue.dispatch import Dispatcher
from app.queue.hints import Hints
from app.runs.models import Run, in_state
from app.runs.states import RunState
from app.tenants.models import Organization
from app.worker.parts import Parts
from bench.installation import Installation
from bench.line import add_ready_runs
from bench.quick_worker import QuickKind
from tests.factories.work import make_job

SLOTS = 8
PASSES = 100
ORGANIZATIONS = 50
SHORT_LINE = 2_000

# Copies of one run that has ended, as the days of a long history would have left them.
_HISTORY = {
    True: """
        INSERT INTO runs ({columns}, id, state, finished_at, created_at)
        SELECT {columns}, gen_random_uuid(), 'succeeded', created_at - n * interval '1 second',
               created_at - n * interval '1 second'
        FROM (SELECT * FROM runs LIMIT 1) AS one, generate_series(1, :count) AS n
    """,
    False: """
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
        INSERT INTO runs ({columns}, id, state, finished_at, created_at)
        SELECT {columns}, lower(hex(randomblob(16))), 'succeeded', datetime(created_at, '-' || n || ' seconds'),
               datetime(created_at, '-' || n || ' seconds')
        FROM (SELECT * FROM runs LIMIT 1) AS one, numbers
    """,
}
_OWN_COLUMNS = {"id", "state", "finished_at", "created_at", "hinted_at", "slot_at"}


@dataclass
class Pocket(Hints):
    """Keeps the hints instead of sending them."""

    sent: list[UUID] = field(default_factory=list)

    def send(self, called: list[Called]) -> None:
        self.sent += [one.run_id for one in called]

    def lying(self, names: Collection[str]) -> dict[str, int]:
        return dict.fromkeys(names, len(self.sent))


def add_line(place: Installation, length: int) -> None:
    """Ready runs of many organizations."""
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        jobs = list(session.scalars(select(Job).where(Job.kind == KindName.WORKFLOW.value, Job.name == "Line")))
        while len(jobs) < ORGANIZATIONS:
            organization = Organization(name=f"Line {len(jobs)}", timezone="UTC", created_at=now)
            session.add(organization)
            session.flush()
            jobs.append(make_job(session, organization.id, name="Line", kind=KindName.WORKFLOW))
        for job in jobs:
            add_ready_runs(session, job, length // ORGANIZATIONS, now=now)


def add_history(place: Installation, count: int) -> None:
    """Runs that have ended."""
    columns = ", ".join(column.name for column in Run.__table__.columns if column.name not in _OWN_COLUMNS)
    with place.database.transaction() as session:
        if place.database.is_postgres:
            # A bench may take longer than a page.
            session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text(_HISTORY[place.database.is_postgres].format(columns=columns)), {"count": count})


def settle(place: Installation) -> None:
    """Let the database look at what it holds, which it would do in time by itself."""
    with place.database.owner.write.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if place.database.is_postgres else "ANALYZE"))


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def measure(place: Installation) -> dict[str, float]:
    """The medians of seeing one run through, and of handing out as many as there are slots."""
    settings = replace(place.settings, workers=SLOTS)
    parts = replace(Parts.from_settings(settings), kinds={KindName.WORKFLOW: QuickKind()})
    pocket = Pocket()
    dispatcher = Dispatcher(parts.pools.work, parts.clock, pocket, live_slots, own_slots=SLOTS)
    executor = parts.executor(parts.keeper(), worker="bench")
    claims, passes = [], []
    try:
        dispatcher.dispatch()
        for _ in range(PASSES):
            taken, pocket.sent = pocket.sent[:SLOTS], pocket.sent[SLOTS:]
            claims += [milliseconds(lambda run_id=run_id: executor.execute(run_id)) for run_id in taken]
            passes.append(milliseconds(dispatcher.dispatch))
        # What is still handed out would take the room of the next measurement.
        for run_id in pocket.sent:
            executor.execute(run_id)
    finally:
        parts.pools.dispose()
    return {"claim_ms": statistics.median(claims), "dispatch_ms": statistics.median(passes)}


def compare(place: Installation, *, history: int, line: int) -> dict[str, float]:
    """Both ways, and how much slower the long one is. `claim_ratio` is the worse of the two."""
    add_line(place, SHORT_LINE)
    settle(place)
    measure(place)
    short = measure(place)
    add_history(place, history)
    with place.database.reading() as session:
        left = len(session.scalars(select(Run.id).where(in_state(RunState.READY))).all())
    add_line(place, line - left)
    settle(place)
    long = measure(place)
    ratios = {name.replace("_ms", "_ratio"): long[name] / short[name] for name in short}
    figures = {**{f"few_{name}": value for name, value in short.items()}, **long}
    return {**figures, "dispatch_ratio": ratios["dispatch_ratio"], "claim_ratio": max(ratios.values())}
