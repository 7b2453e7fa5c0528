"""The loops read what matters now, and not the whole history: no scan of a table, however long it gets."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.db import Database
from app.queue.broker import make_huey
from app.queue.dispatch import Dispatcher
from app.queue.tasks import make_hints
from app.runs import planner, reaper
from app.runs.queries import earliest_ready_across_tenants, list_dead_letters
from app.runs.statistics import count_outcomes, count_queue, schedule_stats
from app.schedules.queries import earliest_due_across_tenants
from tests.factories.work import make_job, make_organization, make_schedule
from tests.fakes.clock import ManualClock, utc

NOW = utc("2027-01-05 12:00")


def plans_of(database: Database, work: Callable[[], object]) -> list[str]:
    """How SQLite goes about every read of runs, schedules and events that the work makes."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            seen.append((statement, parameters))

    event.listen(database.write, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(database.write, "before_cursor_execute", note)
    with database.read.connect() as connection:
        return [
            str(row[3])
            for statement, parameters in seen
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


def scans(plans: list[str]) -> list[str]:
    tables = ("SCAN runs", "SCAN schedules", "SCAN events", "SCAN log_lines", "SCAN attempts")
    return [plan for plan in plans if plan.startswith(tables) and "USING" not in plan]


@pytest.fixture
def session(database: Database) -> Session:
    return Session(database.write, expire_on_commit=False)


class TestQueryPlans:
    def test_of_a_tick_with_a_run_in_the_way(self, database: Database, session: Session) -> None:
        with session:
            make_schedule(session, make_job(session, make_organization(session)), next_run_at=NOW)

            plans = plans_of(database, lambda: planner.tick(session, now=NOW))
            session.commit()

        assert scans(plans) == []
        assert any("(schedule_id=? AND finished_at=?)" in plan for plan in plans)
        assert any("ix_schedules_due" in plan for plan in plans)

    def test_of_a_dispatch(self, database: Database, settings: Settings, clock: ManualClock) -> None:
        hand = Dispatcher(database, clock, make_hints(make_huey(settings)), slots=5)

        plans = plans_of(database, hand.dispatch)

        assert scans(plans) == []
        assert any("ix_runs_ready" in plan for plan in plans)

    def test_of_a_sweep(self, database: Database, session: Session) -> None:
        with session:
            plans = plans_of(database, lambda: reaper.reap(session, kinds={}, now=NOW))

        assert any("ix_runs_lease" in plan for plan in plans)

    def test_of_a_look_at_what_comes_next(self, database: Database, session: Session) -> None:
        with session:
            looks = (earliest_due_across_tenants, earliest_ready_across_tenants)
            plans = plans_of(database, lambda: [look(session) for look in looks])

        assert any("ix_schedules_due" in plan for plan in plans)
        assert any("ix_runs_waiting_retry" in plan for plan in plans)

    def test_of_the_figures_on_the_pages(self, database: Database, session: Session) -> None:
        with session:
            job = make_job(session, make_organization(session))
            schedule = make_schedule(session, job)
            here = job.organization_id

            def read() -> None:
                count_queue(session, organization_id=here)
                count_outcomes(session, organization_id=here, since=NOW)
                schedule_stats(session, organization_id=here, schedule_ids=[schedule.id], since=NOW)
                list_dead_letters(session, organization_id=here, limit=50)

            plans = plans_of(database, read)

        assert scans(plans) == []
