"""Stopping all scheduling: nothing is planned, every slot of it is accounted for, and it is known who did it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.scopes import ENGINE, PLATFORM
from app.jobs.models import Job
from app.runs import planner
from app.runs.models import Run
from app.runs.service import edit_schedule, run_job_now, switch_schedule
from app.schedules.models import Gap, Schedule
from app.schedules.queries import earliest_due_across_tenants
from app.schedules.service import ScheduleDraft
from app.schedules.stops import StopReasonInvalid, current_stop, start_scheduling, stop_scheduling
from app.tenants.access import Actor
from app.tenants.models import SYSTEM_ORGANIZATION_ID, AuditEntry
from app.tenants.platform import PlatformAdminNeeded
from app.tenants.roles import Role
from tests.factories.work import actor_in, make_job, make_organization, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")
SAID = "ada@example.com stopped all scheduling at 2027-01-05 12:01 UTC: Moving house"


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


@pytest.fixture
def admin(job: Job) -> Actor:
    return Actor(job.organization_id, Role.OWNER, "ada@example.com", is_platform_admin=True)


def stop(session: Session, admin: Actor, *, at: datetime, reason: str = "Moving house") -> bool:
    return stop_scheduling(session, actor=admin, reason=reason, now=at)


def slots_of(session: Session, schedule: Schedule) -> list[datetime | None]:
    session.expire_all()
    return list(session.scalars(select(Run.slot_at).where(Run.schedule_id == schedule.id).order_by(Run.slot_at)))


def gaps_of(session: Session, schedule: Schedule) -> list[tuple[datetime, datetime, int, str]]:
    query = select(Gap).where(Gap.schedule_id == schedule.id).order_by(Gap.first_slot_at)
    return [(gap.first_slot_at, gap.last_slot_at, gap.slots, gap.reason) for gap in session.scalars(query)]


def tick_and_die(session: Session, *, now: datetime) -> None:
    planner.tick(session, now=now)
    session.flush()
    raise KeyboardInterrupt


class TestStopping:
    def test_is_known_with_who_when_and_why(self, session: Session, admin: Actor) -> None:
        did_stop = stop(session, admin, at=NOW, reason="  Moving\n house ")

        found = current_stop(session)

        assert did_stop
        assert found is not None
        assert (found.stopped_at, found.stopped_by, found.reason) == (NOW, "ada@example.com", "Moving house")

    def test_twice_is_once(self, session: Session, admin: Actor) -> None:
        stop(session, admin, at=NOW)

        again = stop(session, admin, at=minutes(1), reason="Something else")

        found = current_stop(session)
        assert not again
        assert found is not None
        assert found.reason == "Moving house"

    def test_and_starting_leave_an_audit_row_with_the_installation(self, session: Session, admin: Actor) -> None:
        stop(session, admin, at=NOW)
        start_scheduling(session, actor=admin, now=minutes(5))

        query = select(AuditEntry.action).where(AuditEntry.organization_id == SYSTEM_ORGANIZATION_ID)
        found = session.scalars(query.order_by(AuditEntry.at)).all()

        assert found == ["scheduling.stopped", "scheduling.started"]

    def test_is_possible_again_after_starting(self, session: Session, admin: Actor) -> None:
        stop(session, admin, at=NOW)
        did_start = start_scheduling(session, actor=admin, now=minutes(5))
        again = stop(session, admin, at=minutes(6), reason="Once more")

        found = current_stop(session)

        assert (did_start, again) == (True, True)
        assert found is not None
        assert found.reason == "Once more"

    def test_starting_what_is_not_stopped_changes_nothing(self, session: Session, admin: Actor) -> None:
        did_start = start_scheduling(session, actor=admin, now=NOW)

        assert not did_start
        assert session.scalars(select(AuditEntry)).all() == []

    def test_is_for_platform_admins(self, session: Session, job: Job) -> None:
        owner = actor_in(job.organization_id)

        with pytest.raises(PlatformAdminNeeded):
            stop(session, owner, at=NOW)
        with pytest.raises(PlatformAdminNeeded):
            start_scheduling(session, actor=owner, now=NOW)

    @pytest.mark.parametrize("reason", ["", "  \n ", "x" * 501, "bad \x07 bell"])
    def test_needs_a_reason_that_can_be_shown(self, session: Session, admin: Actor, reason: str) -> None:
        with pytest.raises(StopReasonInvalid):
            stop(session, admin, at=NOW, reason=reason)

    def test_works_as_the_role_of_platform_admins(self, database: OpenDatabase) -> None:
        with database.transaction() as session:
            organization_id = make_organization(session)
        admin = Actor(organization_id, Role.OWNER, "ada@example.com", is_platform_admin=True)

        with database.transaction(PLATFORM) as session:
            did_stop = stop(session, admin, at=NOW)
        with database.transaction(PLATFORM) as session:
            did_start = start_scheduling(session, actor=admin, now=minutes(5))

        assert (did_stop, did_start) == (True, True)


class TestWhileItIsStopped:
    def test_nothing_is_planned_and_the_scheduler_may_sleep(self, session: Session, job: Job, admin: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)
        stop(session, admin, at=NOW)

        tick = planner.tick(session, now=minutes(20))

        assert (tick.schedules, tick.runs, slots_of(session, schedule)) == (0, 0, [])
        assert earliest_due_across_tenants(session) is None

    def test_a_run_by_hand_still_starts(self, session: Session, job: Job, admin: Actor) -> None:
        stop(session, admin, at=NOW)

        actor = actor_in(job.organization_id)
        run_id = run_job_now(session, actor=actor, job_id=job.id, request_key="k", now=minutes(1))

        assert session.get_one(Run, run_id).state == "ready"

    def test_an_edit_accounts_for_the_slots_of_the_old_rhythm(self, session: Session, job: Job, admin: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=minutes(5))
        stop(session, admin, at=minutes(1))

        draft = ScheduleDraft("Other", job.id, "*/15 * * * *", "UTC", "k")
        actor = actor_in(job.organization_id)
        edit_schedule(session, actor=actor, schedule_id=schedule.id, draft=draft, version=1, now=minutes(11))

        assert slots_of(session, schedule) == []
        assert gaps_of(session, schedule) == [(minutes(5), minutes(10), 2, "scheduling_stopped")]

    def test_a_schedule_switched_off_and_on_has_each_slot_in_one_gap(
        self, session: Session, job: Job, admin: Actor
    ) -> None:
        schedule = make_schedule(session, job, next_run_at=minutes(5))
        actor = actor_in(job.organization_id)
        stop(session, admin, at=minutes(1))

        switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=False, now=minutes(6))
        switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=True, now=minutes(12))
        start_scheduling(session, actor=admin, now=minutes(17))
        planner.tick(session, now=minutes(20))

        assert slots_of(session, schedule) == [minutes(20)]
        assert gaps_of(session, schedule) == [
            (minutes(5), minutes(5), 1, "scheduling_stopped"),
            (minutes(10), minutes(10), 1, "paused"),
            (minutes(15), minutes(15), 1, "scheduling_stopped"),
        ]


class TestStartingAgain:
    def test_missed_slots_say_who_stopped_it_and_are_not_run(self, session: Session, job: Job, admin: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=minutes(5))
        stop(session, admin, at=minutes(1))
        start_scheduling(session, actor=admin, now=minutes(21))

        planner.tick(session, now=minutes(21))

        gap = session.scalars(select(Gap)).one()
        assert gaps_of(session, schedule) == [(minutes(5), minutes(20), 4, "scheduling_stopped")]
        assert gap.explanation == SAID
        assert slots_of(session, schedule) == []

    def test_the_next_slot_runs_as_ever(self, session: Session, job: Job, admin: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=minutes(5))
        stop(session, admin, at=minutes(1))
        start_scheduling(session, actor=admin, now=minutes(21))

        planner.tick(session, now=minutes(21))
        planner.tick(session, now=minutes(25))

        assert slots_of(session, schedule) == [minutes(25)]
        assert len(gaps_of(session, schedule)) == 1

    def test_a_slot_that_was_due_before_the_stop_follows_its_policy(
        self, session: Session, job: Job, admin: Actor
    ) -> None:
        schedule = make_schedule(session, job, next_run_at=minutes(-10))
        stop(session, admin, at=minutes(1))
        start_scheduling(session, actor=admin, now=minutes(6))

        planner.tick(session, now=minutes(7))

        assert slots_of(session, schedule) == [NOW]
        assert gaps_of(session, schedule) == [
            (minutes(-10), minutes(-5), 2, "scheduler_down"),
            (minutes(5), minutes(5), 1, "scheduling_stopped"),
        ]

    def test_slots_that_nobody_planned_after_it_are_told_apart(self, session: Session, job: Job, admin: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=minutes(5))
        stop(session, admin, at=minutes(1))
        start_scheduling(session, actor=admin, now=minutes(12))
        stop(session, admin, at=minutes(22), reason="Again")
        start_scheduling(session, actor=admin, now=minutes(28))

        planner.tick(session, now=minutes(41))

        assert slots_of(session, schedule) == [minutes(40)]
        assert gaps_of(session, schedule) == [
            (minutes(5), minutes(10), 2, "scheduling_stopped"),
            (minutes(15), minutes(20), 2, "scheduler_down"),
            (minutes(25), minutes(25), 1, "scheduling_stopped"),
            (minutes(30), minutes(35), 2, "scheduler_down"),
        ]

    def test_a_tick_that_died_half_way_is_made_up_for_once(self, database: OpenDatabase) -> None:
        with database.transaction() as session:
            job = make_job(session, make_organization(session))
            schedule_id = make_schedule(session, job, next_run_at=minutes(5)).id
            admin = Actor(job.organization_id, Role.OWNER, "ada@example.com", is_platform_admin=True)
            stop(session, admin, at=minutes(1))
            start_scheduling(session, actor=admin, now=minutes(6))

        with pytest.raises(KeyboardInterrupt):
            database.run(ENGINE, lambda session: tick_and_die(session, now=minutes(7)))
        for _ in range(2):
            with database.transaction(ENGINE) as session:
                planner.tick(session, now=minutes(8))

        with database.reading() as session:
            found = gaps_of(session, session.get_one(Schedule, schedule_id))
        assert found == [(minutes(5), minutes(5), 1, "scheduling_stopped")]

    def test_a_schedule_made_while_it_was_stopped_counts_from_its_first_slot(
        self, session: Session, job: Job, admin: Actor
    ) -> None:
        stop(session, admin, at=minutes(1))
        schedule = make_schedule(session, job, next_run_at=minutes(15))
        start_scheduling(session, actor=admin, now=minutes(16))

        planner.tick(session, now=minutes(16))

        assert gaps_of(session, schedule) == [(minutes(15), minutes(15), 1, "scheduling_stopped")]
