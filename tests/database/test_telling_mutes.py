"""Mutes of schedules and jobs: what they hold back, and that they end."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core.scopes import Scope
from app.events.models import Event
from app.notifications.models import MaintenanceWindow
from app.notifications.mutes import MOST_MUTED, mute_job, mute_schedule, unmute_schedule
from app.notifications.telling_settings import WindowDraft, WindowInvalid, add_window
from app.tenants.access import Actor
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.database.telling_world import TellingWorld
from tests.factories.notifications import make_window
from tests.factories.work import actor_in, make_schedule
from tests.fakes.database import OpenDatabase

FAILED = ("opened", "Orders failed")


@pytest.fixture
def world(database: OpenDatabase) -> TellingWorld:
    return TellingWorld(database)


@pytest.fixture
def actor(world: TellingWorld) -> Actor:
    return actor_in(world.organization_id, Role.OPERATOR)


def mute(
    world: TellingWorld, actor: Actor, *, hours: float = 168, until_success: bool = False, job: bool = False
) -> None:
    now = world.clock.moment
    it: dict[str, Any] = {"actor": actor, "until": now + timedelta(hours=hours), "until_success": until_success}
    with world.database.transaction(Scope.tenant(world.organization_id)) as session:
        if job:
            mute_job(session, job_id=world.job.id, now=now, **it)
        else:
            mute_schedule(session, schedule_id=world.schedule.id, now=now, **it)


def muted(world: TellingWorld) -> list[str]:
    with world.database.reading() as session:
        going = MaintenanceWindow.ends_at > world.clock.moment
        return list(session.scalars(select(MaintenanceWindow.scope_kind).where(going)))


class TestUntilTheNextSuccess:
    @pytest.mark.parametrize("job", [False, True])
    def test_ends_with_it(self, world: TellingWorld, actor: Actor, job: bool) -> None:
        mute(world, actor, until_success=True, job=job)
        world.fail()
        assert world.say(hours=1) == []
        world.succeed()
        assert world.say(minutes=1) == []
        assert muted(world) == []
        world.fail(error="Another cause")

        assert world.say(minutes=1) == [FAILED]

    def test_ends_with_it_where_nothing_had_failed(self, world: TellingWorld, actor: Actor) -> None:
        mute(world, actor, until_success=True)
        world.succeed()
        world.say(minutes=1)

        assert muted(world) == []

    def test_what_fails_right_after_it_is_told(self, world: TellingWorld, actor: Actor) -> None:
        mute(world, actor, until_success=True)
        world.succeed()
        world.fail()

        assert world.say(seconds=1) == [FAILED]

    def test_ends_after_its_longest_time_without_one(self, world: TellingWorld, actor: Actor) -> None:
        mute(world, actor, hours=24, until_success=True)
        world.fail()
        assert world.say(hours=23) == []

        assert world.say(hours=1) == [FAILED]

    def test_is_not_ended_by_another_schedule(self, world: TellingWorld, actor: Actor) -> None:
        with world.database.transaction() as session:
            other = make_schedule(session, world.job, name="Stock")
        mute(world, actor, until_success=True)
        world.succeed(schedule=other)
        world.say(minutes=1)

        assert muted(world) == ["schedule"]

    def test_is_not_ended_by_what_succeeded_before(self, world: TellingWorld, actor: Actor) -> None:
        world.fail()
        world.say()
        world.succeed()
        world.clock.advance(seconds=1)
        mute(world, actor, until_success=True)
        world.say(seconds=1)

        assert muted(world) == ["schedule"]

    def test_of_a_job_tells_of_its_other_schedules_then(self, world: TellingWorld, actor: Actor) -> None:
        with world.database.transaction() as session:
            other = make_schedule(session, world.job, name="Stock")
        mute(world, actor, until_success=True, job=True)
        world.fail()
        world.fail(schedule=other)
        assert world.say() == []
        world.succeed(schedule=other)

        assert world.say(minutes=1) == [FAILED]

    def test_its_end_is_an_event_and_nobodys_doing(self, world: TellingWorld, actor: Actor) -> None:
        mute(world, actor, until_success=True)
        world.succeed()
        world.say(seconds=1)

        with world.database.reading() as session:
            audit = session.scalars(select(AuditEntry.action)).all()
            mine = select(Event.kind).where(Event.subject_id == world.schedule.id)
            events = session.scalars(mine.order_by(Event.id)).all()
        assert (audit, events) == (["schedule.muted"], ["schedule.muted", "schedule.unmuted"])


class TestEnds:
    def test_early_tell_what_is_open_at_once(self, world: TellingWorld, actor: Actor) -> None:
        mute(world, actor)
        world.fail()
        assert world.say() == []
        with world.database.transaction(Scope.tenant(world.organization_id)) as session:
            unmute_schedule(session, actor=actor, schedule_id=world.schedule.id, now=world.clock.moment)

        assert world.say(seconds=1) == [FAILED]

    def test_that_become_earlier_are_noticed(self, world: TellingWorld, actor: Actor) -> None:
        mute(world, actor, hours=100)
        world.fail()
        assert world.say() == []
        mute(world, actor, hours=1)
        assert world.say(minutes=59) == []

        assert world.say(minutes=1) == [FAILED]


class TestLimits:
    def test_of_mutes_and_of_maintenance_are_apart(self, world: TellingWorld, actor: Actor) -> None:
        now = world.clock.moment
        times = {"starts_at": now, "ends_at": now + timedelta(hours=1), "reason": "Muted", "is_mute": True}
        with world.database.transaction() as session:
            for _ in range(MOST_MUTED):
                make_window(session, world.organization_id, **times)
            admin = actor_in(world.organization_id, Role.ADMIN)
            add_window(session, actor=admin, draft=WindowDraft(now, now + timedelta(hours=1)), now=now)

        with pytest.raises(WindowInvalid):
            mute(world, actor)
