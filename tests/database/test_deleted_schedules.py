"""Deleted schedules come back as they were for thirty days, and are removed for good after that."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.core.schema import SchemaGate, newest_migration
from app.jobs.models import Job
from app.ops.housekeeping import Housekeeper
from app.runs import service as runs
from app.runs.models import Run
from app.schedules.deleted import (
    DeletedSchedule,
    DeletedScheduleNotFound,
    ScheduleNotBroughtBack,
    bring_back,
    find_deleted,
    list_deleted,
)
from app.schedules.models import Gap, Schedule, ScheduleVersion
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.database.bulk_world import BulkWorld
from tests.factories.tenants import make_member
from tests.factories.work import make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

DAY = timedelta(days=1)


def delete(world: BulkWorld, schedule_id: UUID) -> None:
    with world.acting() as session:
        runs.delete_schedule(session, actor=world.actor, schedule_id=schedule_id, now=world.clock.moment)


def restore(world: BulkWorld, schedule_id: UUID, actor: Actor | None = None) -> None:
    with world.acting() as session:
        bring_back(session, actor=actor or world.actor, schedule_id=schedule_id, now=world.clock.moment)


def deleted(world: BulkWorld, *, limit: int = 50, before: tuple[datetime, UUID] | None = None) -> list[DeletedSchedule]:
    with world.acting() as session:
        here, now = world.member.organization_id, world.clock.moment
        return list_deleted(session, organization_id=here, now=now, limit=limit, before=before)


def tidy(world: BulkWorld) -> dict[str, int]:
    gate = SchemaGate(world.database, expected=newest_migration())
    return Housekeeper(world.database, world.clock, gate, None).tidy()


class TestComingBack:
    def test_brings_id_switch_and_next_run(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1)
        at = world.schedule(schedule_id).next_run_at
        delete(world, schedule_id)
        listed = [(each.row.id, each.by, each.was_enabled, each.why_not) for each in deleted(world)]

        restore(world, schedule_id)

        found = world.schedule(schedule_id)
        assert listed == [(schedule_id, world.actor.label, True, "")]
        assert (found.enabled, found.next_run_at, found.deleted_at, found.version) == (True, at, None, 1)
        assert deleted(world) == []

    def test_keeps_one_off_that_was_off(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1, enabled=False)
        delete(world, schedule_id)

        restore(world, schedule_id)

        assert not world.schedule(schedule_id).enabled

    def test_tells_of_the_slots_that_came_meanwhile_and_starts_none(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1)
        delete(world, schedule_id)
        world.clock.advance(hours=2)

        restore(world, schedule_id)

        (gap,) = world.all(Gap)
        assert (gap.slots, gap.reason, world.runs()) == (2, "paused", [])
        assert "had deleted it at 2027-01-05 12:00 UTC" in gap.explanation
        assert world.schedule(schedule_id).next_run_at == world.clock.moment + timedelta(minutes=30)

    def test_leaves_runs_cancelled_that_ended_with_it(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1)
        with world.database.transaction() as session:
            job = session.get_one(Job, world.schedule(schedule_id).job_id)
            make_run(session, job, now=world.clock.moment, schedule_id=schedule_id)
        delete(world, schedule_id)

        restore(world, schedule_id)

        assert [run.state for run in world.runs()] == ["cancelled"]

    def test_writes_it_into_the_audit(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1)
        delete(world, schedule_id)

        restore(world, schedule_id)

        last = world.all(AuditEntry, AuditEntry.id)[-1]
        assert (last.action, last.summary) == ("schedule.undeleted", "Restored the deleted schedule “S0”")

    def test_is_refused_while_another_has_its_name(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1)
        delete(world, schedule_id)
        world.schedules(1)

        assert "Another schedule is called “S0”" in deleted(world)[0].why_not
        with pytest.raises(ScheduleNotBroughtBack, match="Rename that one first"):
            restore(world, schedule_id)

    def test_is_refused_when_its_job_went_with_it(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1)
        with world.acting() as session:
            job_id = world.schedule(schedule_id).job_id
            runs.delete_job(session, actor=world.actor, job_id=job_id, now=world.clock.moment)

        with pytest.raises(ScheduleNotBroughtBack, match="is deleted as well"):
            restore(world, schedule_id)

    def test_is_for_those_who_may_change_schedules(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1)
        delete(world, schedule_id)

        with pytest.raises(PermissionMissing):
            restore(world, schedule_id, Actor(world.actor.organization_id, Role.VIEWER, "eve@example.com"))

    def test_finds_none_that_is_not_deleted_or_somebody_elses(
        self, world: BulkWorld, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            stranger = BulkWorld(database, clock, make_member(session, email="eve@example.com"))
        (living,), (theirs,) = world.schedules(1), stranger.schedules(1)
        delete(stranger, theirs)

        for schedule_id in (living, theirs):
            with pytest.raises(DeletedScheduleNotFound):
                restore(world, schedule_id)

    def test_ends_after_thirty_days(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1)
        delete(world, schedule_id)
        world.clock.advance(days=30)

        assert deleted(world) == []
        with pytest.raises(DeletedScheduleNotFound, match="30 days"):
            restore(world, schedule_id)


class TestTheList:
    def test_begins_with_the_last_and_goes_on(self, world: BulkWorld) -> None:
        for each in world.schedules(3):
            delete(world, each)
            world.clock.advance(minutes=1)

        first = deleted(world, limit=2)
        rest = deleted(world, before=(first[-1].at, first[-1].row.id))

        assert [each.row.name for each in (*first, *rest)] == ["S2", "S1", "S0"]

    def test_is_searched_by_name_or_id(self, world: BulkWorld) -> None:
        one, two = world.schedules(2)
        delete(world, one)
        delete(world, two)
        with world.acting() as session:
            here = {"organization_id": world.member.organization_id, "now": world.clock.moment}
            found = [find_deleted(session, name=name, **here) for name in ("S1", str(one), "S9")]

        assert [[each.row.id for each in each_found] for each_found in found] == [[two], [one], []]


class TestRemovingForGood:
    def test_takes_the_schedule_and_what_it_said(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1, notes="Call Ana")
        world.done("schedules.disable", [schedule_id])
        delete(world, schedule_id)
        world.clock.advance(days=31)

        tidy(world)

        assert (world.all(Schedule), world.all(ScheduleVersion)) == ([], [])

    def test_leaves_those_that_can_come_back_and_those_that_are_there(self, world: BulkWorld) -> None:
        gone, _kept = world.schedules(2)
        delete(world, gone)
        world.clock.advance(days=29)

        tidy(world)

        assert len(world.all(Schedule)) == 2

    def test_leaves_the_name_while_a_run_tells_of_it(self, world: BulkWorld) -> None:
        (schedule_id,) = world.schedules(1, notes="Call Ana")
        with world.database.transaction() as session:
            job = session.get_one(Job, world.schedule(schedule_id).job_id)
            make_run(session, job, now=world.clock.moment, schedule_id=schedule_id)
        delete(world, schedule_id)
        world.clock.advance(days=31)
        tidy(world)
        left = world.schedule(schedule_id)
        with world.database.transaction() as session:
            session.query(Run).delete()

        tidy(world)

        assert (left.name, left.notes, left.deleted_by) == ("S0", "", None)
        assert world.all(Schedule) == []
