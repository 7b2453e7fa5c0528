"""What was owed when it could not be told: reminders, and what somebody saw to before anybody was told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.scopes import Scope
from app.notifications import handling
from app.notifications.models import Rule, Telling
from app.schedules.models import Schedule
from app.tenants.access import Actor
from app.tenants.roles import Role
from tests.database.telling_world import TellingWorld
from tests.factories.notifications import make_channel, make_rule, make_settings
from tests.factories.work import actor_in, make_schedule
from tests.fakes.database import OpenDatabase

FAILED = ("opened", "Orders failed")
REMINDED = ("reminder", "Orders failed")


@pytest.fixture
def world(database: OpenDatabase) -> TellingWorld:
    return TellingWorld(database)


@pytest.fixture
def actor(world: TellingWorld) -> Actor:
    return actor_in(world.organization_id, Role.OPERATOR)


def handle(world: TellingWorld, command: Callable[..., Any], actor: Actor, **more: Any) -> None:
    it = {"actor": actor, "incident_id": world.incidents()[0].id, "now": world.clock.moment}
    with world.database.transaction(Scope.tenant(world.organization_id)) as session:
        command(session, **it, **more)


def change(world: TellingWorld, command: Callable[[Session], Any]) -> None:
    with world.database.transaction() as session:
        command(session)


class TestReminders:
    def flood(self, world: TellingWorld) -> list[Schedule]:
        """So much else that the channel has no room for a minute."""
        with world.database.transaction() as session:
            others = [make_schedule(session, world.job, name=f"Other {number}") for number in range(9)]
        for other in others:
            world.fail(schedule=other)
        return others

    def test_that_a_flood_holds_are_sent_when_it_is_over(self, world: TellingWorld) -> None:
        world.fail()
        world.say()
        world.sent()
        world.clock.advance(hours=1)
        self.flood(world)
        assert REMINDED not in world.say()
        world.sent()

        assert world.say(minutes=4) == [REMINDED]
        assert REMINDED not in world.say(hours=4)

    def test_that_a_flood_holds_are_not_sent_of_what_is_over_by_then(self, world: TellingWorld) -> None:
        world.fail()
        world.say()
        world.sent()
        world.clock.advance(hours=1)
        self.flood(world)
        world.say()
        world.sent()
        world.succeed()

        assert [kind for kind, _ in world.say(minutes=4)] == ["recovered"]

    def test_that_follow_one_that_was_owed_are_sent_as_well(self, world: TellingWorld) -> None:
        world.fail()
        world.say()
        world.sent()
        world.clock.advance(hours=1)
        others = self.flood(world)
        world.say()
        world.sent()
        world.say(minutes=4)
        for other in others:
            world.succeed(schedule=other)
        world.say(minutes=2)
        world.sent()

        assert world.say(hours=5) == [REMINDED]

    def test_of_one_rule_do_not_wait_for_another_that_is_snoozed(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            other = make_channel(session, world.organization_id)
            snoozed = make_rule(session, world.organization_id, other)
        world.fail()
        assert world.say() == [FAILED, FAILED]
        until = world.clock.moment + timedelta(days=20)
        change(world, lambda session: setattr(session.get_one(Rule, snoozed), "snoozed_until", until))

        kinds = [world.say(hours=hours) for hours in (1, 5, 18, 24)]

        assert kinds == [[REMINDED]] * 4

    def test_that_a_snooze_held_are_one(self, world: TellingWorld) -> None:
        world.fail()
        world.say()
        until = world.clock.moment + timedelta(days=4)
        change(world, lambda session: setattr(session.get_one(Rule, world.rule_id), "snoozed_until", until))
        for _ in range(4):
            assert world.say(hours=23) == []

        assert world.say(hours=4) == [REMINDED]


class TestWhatSomebodySawTo:
    def test_before_anybody_was_told_is_told_when_nobody_does(self, world: TellingWorld, actor: Actor) -> None:
        with world.database.transaction() as session:
            quiet = {"quiet_from": 11 * 60, "quiet_until": 13 * 60}
            make_settings(session, world.organization_id, **quiet)
        world.fail()
        assert world.say() == []
        handle(world, handling.acknowledge, actor)
        assert world.say(hours=2) == []
        handle(world, handling.unacknowledge, actor)

        assert world.say(seconds=1) == [FAILED]
        world.succeed()
        assert [kind for kind, _ in world.say(minutes=1)] == ["recovered"]

    def test_is_not_told_twice(self, world: TellingWorld, actor: Actor) -> None:
        world.fail()
        world.say()
        handle(world, handling.acknowledge, actor)
        world.say(minutes=2)
        handle(world, handling.unacknowledge, actor)

        assert "opened" not in [kind for kind, _ in world.say(minutes=2)]

    def test_waits_as_long_as_it_is_held(self, world: TellingWorld, actor: Actor) -> None:
        with world.database.transaction() as session:
            make_settings(session, world.organization_id, quiet_from=11 * 60, quiet_until=13 * 60)
        world.fail()
        world.say()
        handle(world, handling.acknowledge, actor)
        handle(world, handling.unacknowledge, actor)

        assert world.say(minutes=1) == []
        assert world.say(minutes=59) == [FAILED]


def test_a_rule_whose_message_another_one_sends_is_held_with_it(world: TellingWorld) -> None:
    with world.database.transaction() as session:
        make_rule(session, world.organization_id, world.channel_id)
        others = [make_schedule(session, world.job, name=f"Other {number}") for number in range(9)]
    for other in others:
        world.fail(schedule=other)
    world.say()
    world.fail()
    world.say(seconds=1)

    with world.database.reading() as session:
        mine = Telling.cause_key.contains(str(world.schedule.id))
        assert session.scalars(select(Telling.is_told).where(mine)).all() == [False, False]
