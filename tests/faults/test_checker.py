"""The judge of all faults sees each kind of fault, so that its silence means something."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.runs import ledger, planner
from app.runs.facts import AttemptEnd
from app.runs.models import Attempt
from app.runs.states import AttemptState, Trigger
from app.schedules.models import Gap, Schedule
from tests.factories.work import make_job, make_organization, make_schedule
from tests.fakes.clock import utc
from tests.faults.checker import Verdict, judge
from tests.faults.expectations import Expectation, Rule
from tests.faults.journal import Journal

START = utc("2027-01-05 12:00")
MINUTE = timedelta(minutes=1)
# Two slots lie between: 12:01 and 12:02.
UNTIL = START + 2 * MINUTE
QUIET = Journal(Counter(), Counter(), 0)


@pytest.fixture
def job(session: Session) -> Job:
    return make_job(session, make_organization(session))


@pytest.fixture
def schedule(session: Session, job: Job) -> Schedule:
    return make_schedule(session, job, cron="* * * * *", next_run_at=UNTIL + MINUTE)


def open_run(session: Session, schedule: Schedule, job: Job, minutes: int) -> UUID:
    slot_at = START + minutes * MINUTE
    request = planner.request_for(
        job, trigger=Trigger.SCHEDULE, due_at=slot_at, schedule_id=schedule.id, slot_at=slot_at
    )
    run_id = ledger.open_run(session, request, now=slot_at)
    assert run_id is not None
    return run_id


def start(session: Session, run_id: UUID) -> ledger.Started:
    started = ledger.start(session, run_id=run_id, worker="w", lease_until=UNTIL + MINUTE, now=UNTIL)
    assert started is not None
    return started


def succeed(session: Session, run_id: UUID) -> None:
    end = AttemptEnd(AttemptState.SUCCEEDED)
    ledger.succeed(session, run_id=run_id, token=start(session, run_id).token, end=end, now=UNTIL)


def add_gap(session: Session, schedule: Schedule, first: int, last: int, *, slots: int) -> None:
    times = START + first * MINUTE, START + last * MINUTE
    session.add(
        Gap(
            organization_id=schedule.organization_id, schedule_id=schedule.id, first_slot_at=times[0],
            last_slot_at=times[1], slots=slots, reason="paused", at=UNTIL,
        )
    )  # fmt: skip


def judged(session: Session, schedule: Schedule, journal: Journal = QUIET, *, is_on: bool = True) -> Verdict:
    rule = Rule("* * * * *", "UTC", START, START, is_on)
    expectations = [Expectation(schedule.id, [rule])]
    session.flush()
    return judge(session, journal=journal, expectations=expectations, repeatable=set(), until=UNTIL)


class TestChecker:
    def test_finds_nothing_where_every_slot_has_its_run_or_gap(
        self, session: Session, schedule: Schedule, job: Job
    ) -> None:
        run_id = open_run(session, schedule, job, 1)
        succeed(session, run_id)
        add_gap(session, schedule, 2, 2, slots=1)

        verdict = judged(session, schedule, Journal(Counter([run_id]), Counter([run_id]), 0))

        assert (verdict.faults, verdict.slots) == ({}, 2)

    def test_finds_slots_that_are_missing_or_there_twice(self, session: Session, schedule: Schedule, job: Job) -> None:
        run_id = open_run(session, schedule, job, 1)
        succeed(session, run_id)
        add_gap(session, schedule, 1, 1, slots=1)

        verdict = judged(session, schedule, Journal(Counter([run_id]), Counter([run_id]), 0))

        assert verdict.faults == {"lost": 1, "duplicates": 1}

    def test_finds_a_gap_that_counts_wrongly(self, session: Session, schedule: Schedule) -> None:
        add_gap(session, schedule, 1, 2, slots=3)

        assert judged(session, schedule).faults == {"invented": 1}

    def test_finds_a_run_of_a_time_when_its_schedule_was_off(
        self, session: Session, schedule: Schedule, job: Job
    ) -> None:
        run_id = open_run(session, schedule, job, 1)
        succeed(session, run_id)
        add_gap(session, schedule, 2, 2, slots=1)

        verdict = judged(session, schedule, Journal(Counter([run_id]), Counter([run_id]), 0), is_on=False)

        assert verdict.faults == {"invented": 1}

    def test_finds_what_has_no_end_and_what_was_started_twice(
        self, session: Session, schedule: Schedule, job: Job
    ) -> None:
        run_id = open_run(session, schedule, job, 1)
        start(session, run_id)
        add_gap(session, schedule, 2, 2, slots=1)

        verdict = judged(session, schedule, Journal(Counter({run_id: 2}), Counter(), 1))

        assert verdict.faults == {"overdue": 1, "duplicates": 1, "concurrent": 1}

    def test_finds_a_success_that_nobody_earned(self, session: Session, schedule: Schedule, job: Job) -> None:
        succeed(session, open_run(session, schedule, job, 1))
        add_gap(session, schedule, 2, 2, slots=1)

        assert judged(session, schedule).faults == {"unearned": 1}

    def test_finds_an_execution_that_the_ledger_does_not_know(
        self, session: Session, schedule: Schedule, job: Job
    ) -> None:
        run_id = open_run(session, schedule, job, 1)
        succeed(session, run_id)
        session.execute(delete(Attempt))
        add_gap(session, schedule, 2, 2, slots=1)

        verdict = judged(session, schedule, Journal(Counter([run_id]), Counter([run_id]), 0))

        assert verdict.faults["invented"] == 1
