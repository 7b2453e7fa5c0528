"""What becomes of slots that were missed, and of those that come while the previous run goes on: policy by policy."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.scopes import ENGINE, rescope
from app.events.models import Event
from app.jobs.models import Job
from app.runs import ledger, planner
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.states import AttemptState, Trigger
from app.runs.waits import waits_that_are_over
from app.schedules.models import Gap, Schedule, SchedulingStop
from tests.factories.work import make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def runs_of(session: Session, schedule: Schedule) -> list[Run]:
    session.expire_all()
    query = select(Run).where(Run.schedule_id == schedule.id)
    return list(session.scalars(query.order_by(Run.slot_at, Run.created_at)))


def states_of(session: Session, schedule: Schedule) -> list[tuple[datetime | None, str, str | None]]:
    return [(run.slot_at, run.state, run.reason) for run in runs_of(session, schedule)]


def gaps_of(session: Session, schedule: Schedule) -> list[tuple[datetime, datetime, int, str]]:
    query = select(Gap).where(Gap.schedule_id == schedule.id).order_by(Gap.first_slot_at)
    return [(gap.first_slot_at, gap.last_slot_at, gap.slots, gap.reason) for gap in session.scalars(query)]


def begin(session: Session, run: Run, *, at: datetime) -> int:
    started = ledger.start(session, run_id=run.id, worker="w", lease_until=at + timedelta(minutes=1), now=at)
    assert started is not None
    return started.token


def finish(session: Session, run: Run, *, at: datetime) -> None:
    token = begin(session, run, at=at)
    end = AttemptEnd(AttemptState.SUCCEEDED)
    assert ledger.succeed(session, run_id=run.id, token=token, end=end, now=at)


def wake(session: Session, *, at: datetime) -> int:
    session.flush()
    over = list(session.scalars(waits_that_are_over(literal(at, UTCDateTime()), literal(100))))
    return ledger.make_ready(session, run_ids=over, now=at)


class TestAllMissedRuns:
    def test_each_slot_runs_where_there_are_no_more_than_the_limit(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, missed="all", overlap="allow")

        planner.tick(session, now=minutes(12))

        runs = runs_of(session, schedule)
        assert [run.slot_at for run in runs] == [NOW, minutes(5), minutes(10)]
        assert {(run.trigger, run.state) for run in runs} == {(Trigger.CATCH_UP.value, "ready")}
        assert (gaps_of(session, schedule), schedule.next_run_at) == ([], minutes(15))

    def test_the_newest_run_up_to_the_limit_and_the_others_lie_in_a_gap(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, missed="all", missed_limit=3)

        planner.tick(session, now=minutes(62))

        assert [run.slot_at for run in runs_of(session, schedule)] == [minutes(50), minutes(55), minutes(60)]
        assert gaps_of(session, schedule) == [(NOW, minutes(45), 10, "scheduler_down")]

    def test_those_beyond_the_maximum_age_do_not_run(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, missed="all", missed_max_age_seconds=720)

        planner.tick(session, now=minutes(62))

        assert [run.slot_at for run in runs_of(session, schedule)] == [minutes(50), minutes(55), minutes(60)]
        assert gaps_of(session, schedule) == [(NOW, minutes(45), 10, "scheduler_down")]

    def test_they_go_one_after_the_other_from_the_oldest_on(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, missed="all")
        planner.tick(session, now=minutes(12))
        first, second, third = runs_of(session, schedule)

        assert [run.state for run in (first, second, third)] == ["ready", "waiting", "waiting"]
        assert wake(session, at=minutes(12)) == 0
        finish(session, first, at=minutes(12))
        wake(session, at=minutes(12))
        session.expire_all()
        assert [(run.state, run.error) for run in (second, third)] == [("ready", None), ("waiting", third.error)]

    def test_slots_during_a_stop_of_all_are_not_among_them(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, missed="all", missed_max_age_seconds=86_400)
        session.add(
            SchedulingStop(
                stopped_at=minutes(4), stopped_by="ada", reason="Moving", started_at=minutes(11), started_by="ada"
            )
        )
        session.flush()

        planner.tick(session, now=minutes(22))

        assert [run.slot_at for run in runs_of(session, schedule)] == [NOW, minutes(15), minutes(20)]
        assert gaps_of(session, schedule) == [(minutes(5), minutes(10), 2, "scheduling_stopped")]

    def test_without_an_account_each_of_them_is_skipped_and_says_so(self, session: Session) -> None:
        from_nowhere = make_job(session, make_organization(session))
        from_nowhere.kind, from_nowhere.definition = "sync", {"service": "meta"}
        schedule = make_schedule(session, from_nowhere, next_run_at=NOW, missed="all")

        planner.tick(session, now=minutes(12))

        assert {state[1:] for state in states_of(session, schedule)} == {("skipped", "needs_connection")}


class TestSkip:
    def test_slots_that_are_made_up_for_are_skipped_together_while_a_run_goes_on(
        self, session: Session, job: Job
    ) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, missed="all")
        by_hand = make_run(session, job, now=minutes(1), schedule_id=schedule.id)

        planner.tick(session, now=minutes(12))

        skipped = [run for run in runs_of(session, schedule) if run.slot_at]
        assert [(run.state, str(by_hand) in (run.error or "")) for run in skipped] == [("skipped", True)] * 3


class TestQueueOne:
    def test_one_waits_for_the_previous_run_and_names_it(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, overlap="queue_one")
        planner.tick(session, now=NOW)

        planner.tick(session, now=minutes(5))

        first, second = runs_of(session, schedule)
        assert (second.state, second.reason, second.finished_at) == ("waiting", "overlap", None)
        assert str(first.id) in (second.error or "")

    def test_what_comes_while_one_waits_is_skipped_and_names_that_one(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, overlap="queue_one")
        for each in (0, 5, 10):
            planner.tick(session, now=minutes(each))

        _, second, third = runs_of(session, schedule)

        assert (third.state, third.reason) == ("skipped", "overlap")
        assert str(second.id) in (third.error or "")

    def test_the_one_that_waits_starts_when_the_previous_has_ended_and_makes_room_for_the_next(
        self, session: Session, job: Job
    ) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, overlap="queue_one")
        planner.tick(session, now=NOW)
        planner.tick(session, now=minutes(5))
        finish(session, runs_of(session, schedule)[0], at=minutes(6))
        woken = wake(session, at=minutes(6))

        planner.tick(session, now=minutes(10))

        assert woken == 1
        assert [state for _, state, _ in states_of(session, schedule)] == ["succeeded", "ready", "waiting"]

    def test_nothing_waits_where_nothing_is_in_the_way(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW, overlap="queue_one")

        planner.tick(session, now=NOW)

        assert states_of(session, schedule) == [(NOW, "ready", None)]


class TestCancelPrevious:
    @pytest.fixture
    def schedule(self, session: Session, job: Job) -> Schedule:
        schedule = make_schedule(session, job, next_run_at=NOW, overlap="cancel_previous")
        planner.tick(session, now=NOW)
        return schedule

    def test_a_run_that_has_not_started_ends_and_names_what_took_its_place(
        self, session: Session, schedule: Schedule
    ) -> None:
        planner.tick(session, now=minutes(5))

        first, second = runs_of(session, schedule)
        assert (first.state, first.reason, first.finished_at) == ("cancelled", "replaced", minutes(5))
        assert first.error == "The run of the slot at 2027-01-05 12:05 UTC took its place."
        assert (second.state, wake(session, at=minutes(5))) == ("waiting", 1)

    def test_a_run_that_goes_on_is_asked_to_stop_and_the_new_one_waits_for_that(
        self, session: Session, schedule: Schedule
    ) -> None:
        begin(session, runs_of(session, schedule)[0], at=minutes(1))

        planner.tick(session, now=minutes(5))

        first, second = runs_of(session, schedule)
        assert (first.state, first.cancel_requested_at, first.cancel_reason) == ("running", minutes(5), "replaced")
        assert first.cancel_words == "The run of the slot at 2027-01-05 12:05 UTC took its place."
        assert (second.state, str(first.id) in (second.error or "")) == ("waiting", True)

    def test_of_many_only_the_newest_is_left_to_wait(self, session: Session, schedule: Schedule) -> None:
        begin(session, runs_of(session, schedule)[0], at=minutes(1))
        for each in (5, 10, 15):
            planner.tick(session, now=minutes(each))

        states = [state for _, state, _ in states_of(session, schedule)]
        asked = runs_of(session, schedule)[0].cancel_requested_at

        assert states == ["running", "cancelled", "cancelled", "waiting"]
        assert asked == minutes(5)

    def test_leaves_an_event_for_each_that_made_room(self, session: Session, schedule: Schedule) -> None:
        first = runs_of(session, schedule)[0]
        begin(session, first, at=minutes(1))
        planner.tick(session, now=minutes(5))
        planner.tick(session, now=minutes(10))

        second = runs_of(session, schedule)[1]
        told = {
            run.id: list(session.scalars(select(Event.kind).where(Event.subject_id == run.id).order_by(Event.id)))
            for run in (first, second)
        }

        assert told[first.id][-1] == "run.cancel_requested"
        assert told[second.id] == ["run.waiting", "run.cancelled"]

    def test_what_a_run_started_and_waits_for_makes_room_with_it(
        self, session: Session, job: Job, schedule: Schedule
    ) -> None:
        parent = runs_of(session, schedule)[0]
        parent.state, parent.reason = "waiting", "children"
        session.flush()
        queued = make_run(session, job, now=minutes(1), parent_run_id=parent.id)
        begun = make_run(session, job, now=minutes(1), parent_run_id=parent.id)
        begin(session, session.get_one(Run, begun), at=minutes(1))

        planner.tick(session, now=minutes(5))

        session.expire_all()
        found = [
            (run.state, run.cancel_reason) for run in (parent, *(session.get_one(Run, id_) for id_ in (queued, begun)))
        ]
        assert found == [("waiting", "replaced"), ("cancelled", None), ("running", "replaced")]
        assert wake(session, at=minutes(5)) == 0

    def test_leaves_runs_of_other_schedules_alone(self, session: Session, job: Job, schedule: Schedule) -> None:
        other = make_schedule(session, job, next_run_at=NOW, overlap="allow")
        planner.tick(session, now=NOW)

        planner.tick(session, now=minutes(5))

        assert [state for _, state, _ in states_of(session, other)] == ["ready", "ready"]

    def test_works_as_the_role_that_plans_for_all(self, session: Session, schedule: Schedule) -> None:
        rescope(session, ENGINE)

        planner.tick(session, now=minutes(5))

        assert [state for _, state, _ in states_of(session, schedule)] == ["cancelled", "waiting"]


class TestManyAtOnce:
    def test_each_schedule_gets_its_own_answer_in_one_batch(self, session: Session, job: Job) -> None:
        policies: dict[str, dict[str, Any]] = {
            "skip": {"overlap": "skip"},
            "queue": {"overlap": "queue_one"},
            "allow": {"overlap": "allow"},
            "cancel": {"overlap": "cancel_previous"},
            "all": {"overlap": "allow", "missed": "all", "missed_limit": 2},
        }
        made = {name: make_schedule(session, job, next_run_at=NOW, **columns) for name, columns in policies.items()}
        planner.tick(session, now=NOW)

        tick = planner.tick(session, now=minutes(11))

        found = {name: [state for _, state, _ in states_of(session, each)] for name, each in made.items()}
        assert found == {
            "skip": ["ready", "skipped"],
            "queue": ["ready", "waiting"],
            "allow": ["ready", "ready"],
            "cancel": ["cancelled", "waiting"],
            "all": ["ready", "ready", "ready"],
        }
        assert tick.runs == 5
