"""What is written of a slot while a run of its schedule has no end yet: policy by policy, whatever that run does."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.events.models import Event
from app.jobs.models import Job
from app.runs import planner
from app.runs.models import Run
from app.runs.states import Reason, RunState
from app.schedules.models import Schedule
from app.schedules.policies import Overlap
from tests.factories.outcomes import make_running
from tests.factories.work import load_run, make_run, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
BEFORE = NOW - timedelta(minutes=5)

MakeAhead = Callable[[Session, Schedule, Job], UUID]


def ready(session: Session, schedule: Schedule, job: Job) -> UUID:
    return make_run(session, job, now=BEFORE, schedule_id=schedule.id, slot_at=BEFORE)


def started_by_hand(session: Session, schedule: Schedule, job: Job) -> UUID:
    return make_run(session, job, now=BEFORE, schedule_id=schedule.id)


def running(session: Session, schedule: Schedule, job: Job) -> UUID:
    return make_running(session, job, now=BEFORE, schedule_id=schedule.id, slot_at=BEFORE)


def to_be_tried_again(session: Session, schedule: Schedule, job: Job) -> UUID:
    later = {"state": "waiting_retry", "reason": "error", "ready_at": NOW + timedelta(hours=1)}
    return _changed(session, ready(session, schedule, job), **later)


def waiting_for_those_it_started(session: Session, schedule: Schedule, job: Job) -> UUID:
    return _changed(session, ready(session, schedule, job), state="waiting", reason="children")


def _changed(session: Session, run_id: UUID, **columns: object) -> UUID:
    session.execute(update(Run).where(Run.id == run_id).values(**columns))
    return run_id


AHEAD = [ready, started_by_hand, running, to_be_tried_again, waiting_for_those_it_started]
# These have begun, so they end by themselves; the others end at once.
ENDS_LATER = [running, waiting_for_those_it_started]


def schedule_of(session: Session, job: Job, overlap: Overlap) -> Schedule:
    return make_schedule(session, job, next_run_at=NOW, overlap=overlap.value)


def planned(session: Session, schedule: Schedule) -> Run:
    """The run of the slot that comes now."""
    planner.tick(session, now=NOW)
    session.expire_all()
    return session.scalars(select(Run).where(Run.schedule_id == schedule.id, Run.slot_at == NOW)).one()


def last_event(session: Session, run_id: UUID) -> str | None:
    return session.scalars(select(Event.kind).where(Event.subject_id == run_id).order_by(Event.id.desc())).first()


@pytest.mark.parametrize("make_ahead", AHEAD)
class TestWhileOneGoesOn:
    def test_skip_records_the_slot_as_skipped_with_the_run_in_the_way(
        self, session: Session, job: Job, make_ahead: MakeAhead
    ) -> None:
        schedule = schedule_of(session, job, Overlap.SKIP)
        ahead = make_ahead(session, schedule, job)

        run = planned(session, schedule)

        assert (run.state, run.reason, run.finished_at) == (RunState.SKIPPED, Reason.OVERLAP, NOW)
        assert run.error == f"The previous run was still going ({ahead}), and this schedule does not run twice at once."
        assert (last_event(session, run.id), schedule.next_run_at) == ("run.skipped", NOW + timedelta(minutes=5))

    def test_queue_one_lets_it_wait_and_names_the_run_before_it(
        self, session: Session, job: Job, make_ahead: MakeAhead
    ) -> None:
        schedule = schedule_of(session, job, Overlap.QUEUE_ONE)
        ahead = make_ahead(session, schedule, job)

        run = planned(session, schedule)

        assert (run.state, run.reason, run.finished_at) == (RunState.WAITING, Reason.OVERLAP, None)
        assert run.error == f"It waits for the previous run to end ({ahead})."
        assert last_event(session, run.id) == "run.waiting"

    def test_allow_starts_it_beside_the_other_and_leaves_that_alone(
        self, session: Session, job: Job, make_ahead: MakeAhead
    ) -> None:
        schedule = schedule_of(session, job, Overlap.ALLOW)
        ahead = load_run(session, make_ahead(session, schedule, job))
        before = (ahead.state, ahead.reason)

        run = planned(session, schedule)

        assert (run.state, run.reason, run.error) == (RunState.READY, None, None)
        assert (ahead.state, ahead.reason, ahead.cancel_requested_at) == (*before, None)

    def test_cancel_previous_ends_the_other_or_asks_it_to_stop_and_waits_for_that(
        self, session: Session, job: Job, make_ahead: MakeAhead
    ) -> None:
        schedule = schedule_of(session, job, Overlap.CANCEL_PREVIOUS)
        ahead = load_run(session, make_ahead(session, schedule, job))

        run = planned(session, schedule)

        words = "The run of the slot at 2027-01-05 12:00 UTC took its place."
        assert (run.state, run.reason) == (RunState.WAITING, Reason.OVERLAP)
        assert run.error == f"It waits until the previous run has stopped ({ahead.id}), whose place it takes."
        if make_ahead in ENDS_LATER:
            assert (ahead.cancel_requested_at, ahead.cancel_reason, ahead.cancel_words) == (NOW, "replaced", words)
            assert last_event(session, ahead.id) == "run.cancel_requested"
        else:
            assert (ahead.state, ahead.reason, ahead.error) == (RunState.CANCELLED, Reason.REPLACED, words)
            assert last_event(session, ahead.id) == "run.cancelled"


@pytest.mark.parametrize("overlap", Overlap)
def test_a_run_that_has_ended_is_in_nobodys_way(session: Session, job: Job, overlap: Overlap) -> None:
    schedule = schedule_of(session, job, overlap)
    ended = _changed(session, ready(session, schedule, job), state="succeeded", finished_at=NOW)

    assert planned(session, schedule).state == RunState.READY
    assert load_run(session, ended).state == RunState.SUCCEEDED


@pytest.mark.parametrize("overlap", Overlap)
def test_runs_of_another_schedule_of_the_same_job_are_in_nobodys_way(
    session: Session, job: Job, overlap: Overlap
) -> None:
    schedule, other = (schedule_of(session, job, overlap) for _ in "ab")
    other.next_run_at = NOW + timedelta(hours=1)
    theirs = running(session, other, job)

    assert planned(session, schedule).state == RunState.READY
    assert load_run(session, theirs).cancel_requested_at is None
