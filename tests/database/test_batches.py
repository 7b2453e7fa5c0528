"""Many schedules at once: a handful of statements however many there are, and no bad one spoils the others."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from app.core.scopes import ENGINE, rescope
from app.events.models import Event
from app.jobs.models import Job
from app.runs import planner
from app.runs.models import Run
from app.schedules.models import Gap, Schedule
from tests.factories.work import make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
YEAR = timedelta(days=365)


def count(session: Session, table: Any) -> int:
    return session.scalars(select(func.count()).select_from(table)).one()


def statements_of(session: Session, work: Callable[[], object]) -> int:
    made: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        made.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", note)
    work()
    event.remove(session.get_bind(), "before_cursor_execute", note)
    return len(made)


class TestABatch:
    def test_takes_as_many_statements_for_three_hundred_as_for_three(self, session: Session, job: Job) -> None:
        made = []
        for number in (3, 300):
            for each in range(number):
                make_schedule(session, job, name=f"{each} of {number}", next_run_at=NOW)
            session.flush()
            made.append(statements_of(session, lambda: planner.tick(session, now=NOW)))

        assert made[0] == made[1] <= 12
        assert (count(session, Run), count(session, Event)) == (303, 303)

    def test_leaves_one_event_for_each_run_that_it_opened(self, session: Session, job: Job) -> None:
        for overlap in ("skip", "allow"):
            make_schedule(session, job, next_run_at=NOW, overlap=overlap)
        for minutes in (0, 5):
            planner.tick(session, now=NOW + timedelta(minutes=minutes))

        runs = session.execute(select(Run.id, Run.state)).all()
        told = session.execute(select(Event.subject_id, Event.kind)).all()

        assert sorted(told) == sorted((run_id, f"run.{state}") for run_id, state in runs)
        assert sorted(state for _, state in runs) == ["ready", "ready", "ready", "skipped"]

    def test_works_as_the_role_that_plans_for_all(self, session: Session, job: Job) -> None:
        make_schedule(session, job, next_run_at=NOW - timedelta(days=1))
        session.flush()

        rescope(session, ENGINE)
        done = planner.tick(session, now=NOW)

        assert (done.runs, count(session, Run), count(session, Gap)) == (1, 1, 1)

    def test_writes_each_by_itself_where_one_is_refused(
        self, session: Session, job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad = make_schedule(session, job, next_run_at=NOW)
        for _ in range(3):
            make_schedule(session, job, next_run_at=NOW)
        session.flush()
        write = planner.write_slots

        def refuse_one(session: Session, writes: list[Any], **rest: Any) -> None:
            if any(write.key.replace("-", "") == bad.id.hex for write in writes):
                raise ValueError("one of these cannot be written")
            write(session, writes, **rest)

        monkeypatch.setattr(planner, "write_slots", refuse_one)
        planner.tick(session, now=NOW)

        session.expire_all()
        assert count(session, Run) == 3
        assert bad.problem == "This schedule cannot be read: one of these cannot be written"


class TestAYearOfDowntime:
    def test_of_five_hundred_schedules_every_minute_is_counted_within_two_seconds(
        self, session: Session, job: Job
    ) -> None:
        for number in range(500):
            zone = ("UTC", "America/New_York", "Europe/Berlin")[number % 3]
            since = {"next_run_at": NOW - YEAR, "created_at": NOW - YEAR}
            make_schedule(session, job, name=f"No. {number}", cron="* * * * *", timezone=zone, **since)
        session.flush()

        began = time.process_time()
        planner.tick(session, now=NOW)
        seconds = time.process_time() - began

        slots = session.scalar(select(func.sum(Gap.slots)))
        assert (slots, count(session, Run)) == (500 * 365 * 24 * 60, 500)
        assert seconds < 2

    def test_makes_up_for_all_that_may_still_run_within_two_seconds(self, session: Session, job: Job) -> None:
        for number in range(500):
            columns = {"next_run_at": NOW - YEAR, "created_at": NOW - YEAR, "missed": "all", "missed_limit": 10}
            make_schedule(session, job, name=f"No. {number}", cron="* * * * *", spread_key=str(number), **columns)
        session.flush()

        began = time.process_time()
        planner.tick(session, now=NOW)
        seconds = time.process_time() - began

        slots = session.scalar(select(func.sum(Gap.slots)))
        assert (slots, count(session, Run)) == (500 * (365 * 24 * 60 - 9), 5_000)
        assert seconds < 2


class TestGrowth:
    def test_many_that_are_not_due_are_not_read(self, engine: str, session: Session, job: Job) -> None:
        for _ in range(10):
            make_schedule(session, job, next_run_at=NOW)
        for number in range(2_000):
            later = NOW + timedelta(minutes=1 + number)
            make_schedule(session, job, name=f"Later {number}", next_run_at=later)
        session.flush()
        session.execute(text("ANALYZE"))
        explain = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}[engine]

        plans: list[str] = []

        def note(_c: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            if "FROM schedules JOIN jobs" in statement:
                beside = cursor.connection.cursor()
                beside.execute(f"{explain} {statement}", parameters)
                plans.extend(str(row[-1]) for row in beside)
                beside.close()

        event.listen(session.get_bind(), "before_cursor_execute", note)
        done = planner.tick(session, now=NOW)
        event.remove(session.get_bind(), "before_cursor_execute", note)

        assert done.schedules == 10
        assert any("ix_schedules_due" in plan for plan in plans)
        assert not any("Seq Scan on schedules" in plan or plan.startswith("SCAN schedules") for plan in plans)


def test_a_schedule_of_two_ticks_at_once_is_planned_by_one(session: Session, job: Job) -> None:
    schedule = make_schedule(session, job, next_run_at=NOW)
    for _ in range(2):
        schedule.next_run_at = NOW
        session.flush()
        planner.tick(session, now=NOW)
        session.expire_all()

    assert isinstance(schedule, Schedule)
    assert (count(session, Run), count(session, Event)) == (1, 1)
