"""The database's clock is set while a scheduler runs: it waits for one lease, says so, and goes on by itself."""

import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from app.core.schema import SchemaGate, newest_migration
from app.core.scopes import ENGINE, Scope
from app.events.models import Event
from app.jobs.models import Job
from app.queue.scheduler import Scheduler, TickReport
from app.runs import ledger, planner
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.queue_models import Queue
from app.runs.retries import Next
from app.runs.service import switch_schedule
from app.runs.states import AttemptState, Reason, RunState
from app.schedules.clock_steps import MOST_KEPT, current_hold
from app.schedules.models import ClockStepSeen, Gap, Schedule
from tests.factories.outcomes import start_run
from tests.factories.work import actor_in, make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase
from tests.fakes.kind import scripted_kinds

NOW = utc("2027-01-05 12:00")
LEASE = 30
HOUR = timedelta(hours=1)


class Quiet:
    """Hands nothing on."""

    def dispatch(self, *, is_brief: bool = False) -> int:
        return 0


class Machine:
    """A scheduler without its thread, and the time as it really passes."""

    def __init__(self, database: OpenDatabase, clock: ManualClock) -> None:
        self.database, self.clock, self.seconds = database, clock, 1_000.0
        self.ticks: list[TickReport] = []
        self.scheduler = Scheduler(
            database=database,
            clock=clock,
            schema=SchemaGate(database, expected=newest_migration(), is_strict=False),
            kinds=scripted_kinds(),
            dispatcher=Quiet(),  # type: ignore[arg-type]
            poll_seconds=60,
            sweep_seconds=5,
            hold_seconds=LEASE,
            first_sweep_seconds=0.0,
            report=self.ticks.append,
            elapsed=lambda: self.seconds,
        )
        self.passes()

    def passes(self, seconds: float = 0.0) -> None:
        """So much time goes by; then the scheduler does all that it does in turn."""
        self.seconds += seconds
        self.clock.advance(seconds=seconds)
        self.scheduler.tick()
        self.scheduler.sweep()

    def set_clock(self, by: timedelta) -> None:
        self.clock.moment += by


@pytest.fixture
def job(database: OpenDatabase) -> Job:
    with database.transaction() as session:
        return make_job(session, make_organization(session))


@pytest.fixture
def schedule(database: OpenDatabase, job: Job) -> Schedule:
    with database.transaction() as session:
        return make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5), overlap="allow")


@pytest.fixture
def machine(database: OpenDatabase, clock: ManualClock, schedule: Schedule) -> Machine:
    return Machine(database, clock)


def slots_of(database: OpenDatabase, schedule: Schedule) -> list[datetime | None]:
    with database.reading() as session:
        query = select(Run.slot_at).where(Run.schedule_id == schedule.id).order_by(Run.slot_at)
        return list(session.scalars(query))


def gaps_of(database: OpenDatabase) -> list[tuple[int, str, str | None]]:
    with database.reading() as session:
        return [(gap.slots, gap.reason, gap.explanation) for gap in session.scalars(select(Gap))]


def running(database: OpenDatabase, job: Job, *, lease_until: datetime) -> UUID:
    """A run that a worker holds."""
    with database.transaction() as session:
        run_id = make_run(session, job, now=NOW)
        run = session.get_one(Run, run_id)
        run.state, run.worker, run.lease_until, run.token, run.attempt = "running", "host:1", lease_until, 1, 1
        return run_id


def failed_once(database: OpenDatabase, job: Job, *, at: datetime, delay: timedelta) -> UUID:
    """A run that waits for its second try."""
    with database.transaction() as session:
        run_id = make_run(session, job, now=at)
        token = start_run(session, run_id, at=at).token
        then = Next(RunState.WAITING_RETRY, Reason.ERROR, at + delay)
        ledger.put_down(session, run_id=run_id, token=token, end=AttemptEnd(AttemptState.FAILED), then=then, now=at)
        return run_id


def ready_at(database: OpenDatabase, run_id: UUID) -> datetime:
    with database.reading() as session:
        return session.get_one(Run, run_id).ready_at


def state_of(database: OpenDatabase, run_id: UUID) -> str:
    with database.reading() as session:
        return session.get_one(Run, run_id).state


class TestAStepForward:
    def test_plans_nothing_and_takes_no_run_for_lost_until_a_lease_has_passed(
        self, database: OpenDatabase, machine: Machine, schedule: Schedule, job: Job
    ) -> None:
        held = running(database, job, lease_until=NOW + timedelta(seconds=LEASE))

        machine.set_clock(HOUR)
        machine.passes(1)

        assert slots_of(database, schedule) == []
        assert state_of(database, held) == "running"

    def test_lets_the_policy_decide_about_the_slots_in_between_and_says_why(
        self, database: OpenDatabase, machine: Machine, schedule: Schedule
    ) -> None:
        machine.set_clock(HOUR)
        machine.passes(1)
        machine.passes(LEASE)

        ((slots, reason, explanation),) = gaps_of(database)
        assert slots_of(database, schedule) == [NOW + HOUR]
        assert (slots, reason) == (11, "clock_step")
        assert explanation == "The database's clock was set forward by 1:00:00, to 2027-01-05 13:00:01 UTC."

    def test_reaps_afterwards_whoever_did_not_renew(self, database: OpenDatabase, machine: Machine, job: Job) -> None:
        dead = running(database, job, lease_until=NOW + timedelta(seconds=LEASE))
        machine.set_clock(HOUR)

        machine.passes(1)
        machine.passes(LEASE)

        assert state_of(database, dead) != "running"

    def test_is_forgotten_once_its_slots_are_planned(
        self, database: OpenDatabase, machine: Machine, schedule: Schedule
    ) -> None:
        machine.set_clock(HOUR)
        for _ in range(3):
            machine.passes(LEASE)

        machine.passes(600)

        assert [reason for _, reason, _ in gaps_of(database)] == ["clock_step", "scheduler_down"]

    def test_holds_a_scheduler_that_starts_afterwards(
        self, database: OpenDatabase, machine: Machine, schedule: Schedule, job: Job
    ) -> None:
        held = running(database, job, lease_until=NOW + timedelta(seconds=LEASE))
        machine.set_clock(HOUR)
        machine.passes(1)

        other = Machine(database, machine.clock)

        assert (slots_of(database, schedule), state_of(database, held)) == ([], "running")
        other.passes(LEASE)
        assert slots_of(database, schedule) == [NOW + HOUR]


class TestAStepBack:
    def test_fires_nothing_twice(self, database: OpenDatabase, machine: Machine, schedule: Schedule) -> None:
        for _ in range(3):
            machine.passes(300)
        machine.set_clock(-HOUR)

        for _ in range(14):
            machine.passes(300)

        assert slots_of(database, schedule) == [NOW + timedelta(minutes=5 * number) for number in range(1, 6)]
        assert gaps_of(database) == []

    def test_lets_ready_runs_start_by_the_new_time(
        self, database: OpenDatabase, machine: Machine, schedule: Schedule
    ) -> None:
        machine.passes(300)
        machine.set_clock(-HOUR)

        machine.passes(1)
        machine.passes(LEASE)

        with database.reading() as session:
            assert [run.ready_at for run in session.scalars(select(Run))] == [machine.clock.moment]

    def test_does_not_keep_a_dead_workers_run_for_as_long_as_the_clock_was_set_back(
        self, database: OpenDatabase, machine: Machine, job: Job
    ) -> None:
        dead = running(database, job, lease_until=NOW + timedelta(seconds=LEASE))
        alive = running(database, job, lease_until=NOW - HOUR + timedelta(seconds=2 * LEASE))
        machine.set_clock(-HOUR)

        for seconds in (1, LEASE, 1):
            machine.passes(seconds)

        assert (state_of(database, dead) != "running", state_of(database, alive)) == (True, "running")

    def test_lets_a_run_wait_for_its_next_try_no_longer_than_it_was_told_to(
        self, database: OpenDatabase, machine: Machine, job: Job
    ) -> None:
        before = failed_once(database, job, at=machine.clock.moment, delay=timedelta(minutes=2))
        machine.set_clock(-HOUR)
        machine.passes(1)
        after = failed_once(database, job, at=machine.clock.moment, delay=timedelta(hours=2))
        told = machine.clock.moment + timedelta(hours=2)

        machine.passes(LEASE)

        assert ready_at(database, before) == machine.clock.moment + timedelta(minutes=2)
        assert ready_at(database, after) == told

    def test_lets_a_rate_that_was_used_up_fill_again(self, database: OpenDatabase, machine: Machine) -> None:
        with database.transaction() as session:
            session.execute(update(Queue).where(Queue.name == "workflow").values(tokens=0.0, tokens_at=NOW))
        machine.set_clock(-HOUR)

        machine.passes(1)
        machine.passes(LEASE)

        with database.reading() as session:
            assert session.get_one(Queue, "workflow").tokens_at == machine.clock.moment


class TestACommandWhilePlanningWaits:
    def test_calls_what_was_missed_by_its_name(
        self, database: OpenDatabase, machine: Machine, schedule: Schedule, job: Job
    ) -> None:
        machine.set_clock(HOUR)
        machine.passes(1)

        with database.transaction(Scope.tenant(job.organization_id)) as session:
            actor = actor_in(job.organization_id)
            switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=False, now=machine.clock.moment)

        ((slots, reason, explanation),) = gaps_of(database)
        assert (slots, reason) == (11, "clock_step")
        assert explanation == "The database's clock was set forward by 1:00:00, to 2027-01-05 13:00:01 UTC."


class TestWhatIsSaid:
    def test_is_a_fact_and_a_text_for_as_long_as_it_lasts(self, database: OpenDatabase, machine: Machine) -> None:
        machine.set_clock(-HOUR)
        machine.passes(1)

        with database.transaction(ENGINE) as session:
            during = current_hold(session, now=machine.clock.moment)
            after = current_hold(session, now=machine.clock.moment + timedelta(seconds=LEASE))
            told = session.scalars(select(Event.data).where(Event.kind == "clock.stepped")).all()
        assert during is not None
        assert during.text == told[0]["text"] == (
            "The database's clock was set back by 1:00:00, to 2027-01-05 11:00:01 UTC."
        )  # fmt: skip
        assert after is None

    def test_does_not_fill_the_table_where_the_clock_is_set_again_and_again(
        self, database: OpenDatabase, machine: Machine
    ) -> None:
        for number in range(MOST_KEPT + 3):
            machine.set_clock(HOUR if number % 2 else -HOUR)
            machine.scheduler.sweep()

        with database.reading() as session:
            assert len(session.scalars(select(ClockStepSeen.id)).all()) == MOST_KEPT


def test_a_time_that_no_calendar_holds_does_not_stop_the_loop(
    engine: str, database: OpenDatabase, machine: Machine, schedule: Schedule, job: Job
) -> None:
    with database.transaction() as session:
        bad = make_schedule(session, job, next_run_at=NOW)
        stored = {"sqlite": "0000-00-00 00:00:00.000000", "postgresql": "-infinity"}[engine]
        session.execute(text("UPDATE schedules SET next_run_at = :at WHERE id = :id"), {"at": stored, "id": bad.id.hex})

    due_at = machine.scheduler._due_at()
    machine.passes(300)

    assert due_at <= time.monotonic()
    assert slots_of(database, schedule) == [NOW + timedelta(minutes=5)]


def test_a_batch_that_is_refused_is_planned_again_with_more_care(
    database: OpenDatabase, machine: Machine, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, refusals = planner.write_slots, iter([True])

    def refuse_once(*args: Any, **named: Any) -> None:
        plain(*args, **named)
        if next(refusals, False):
            raise IntegrityError("INSERT", {}, Exception("no such organization"))

    monkeypatch.setattr(planner, "write_slots", refuse_once)
    machine.passes(300)

    assert slots_of(database, schedule) == [NOW + timedelta(minutes=5)]
