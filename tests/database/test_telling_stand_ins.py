"""Channels that break and are mended between a message and its end: who tells the rest of it, and whom."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.scopes import Scope
from app.notifications.channel_changes import switch_channel
from app.notifications.models import Channel, Delivery
from app.notifications.standing_in import break_channel
from app.notifications.types import DeliveryKind
from app.tenants.roles import Role
from tests.database.telling_world import TellingWorld
from tests.factories.notifications import make_channel, make_rule, make_settings
from tests.factories.work import actor_in, make_schedule
from tests.fakes.database import OpenDatabase

Said = list[tuple[str, str, str]]


@pytest.fixture
def world(database: OpenDatabase) -> TellingWorld:
    return TellingWorld(database)


@pytest.fixture
def ops(world: TellingWorld) -> UUID:
    """The channel that stands in. No rule names it."""
    with world.database.transaction() as session:
        session.get_one(Channel, world.channel_id).name = "Data"
        return make_channel(session, world.organization_id, name="Ops", is_fallback=True)


def say(world: TellingWorld, **later: float) -> Said:
    """What is told now, or later: by which channel, which message, and for which channel that is broken."""
    before = {row.id for row in world.deliveries()}
    world.tell(**later)
    with world.database.reading() as session:
        names = {row.id: row.name for row in session.scalars(select(Channel))}
    new = [row for row in world.deliveries() if row.id not in before]
    world.sent()
    return sorted((names[row.channel_id], row.kind, ", ".join(row.facts.get("instead_of", ()))) for row in new)


def break_it(world: TellingWorld, channel_id: UUID | None = None) -> None:
    here: dict[str, Any] = {"organization_id": world.organization_id, "channel_id": channel_id or world.channel_id}
    with world.database.transaction(Scope.tenant(world.organization_id)) as session:
        assert break_channel(session, **here, reason="Gone.", now=world.clock.moment)


def mend(world: TellingWorld) -> None:
    actor = actor_in(world.organization_id, Role.ADMIN)
    with world.database.transaction(Scope.tenant(world.organization_id)) as session:
        switch_channel(session, actor=actor, channel_id=world.channel_id, is_on=True, now=world.clock.moment)


class TestOneThatBreaksAfterItTold:
    @pytest.fixture(autouse=True)
    def broken(self, world: TellingWorld, ops: UUID) -> None:
        world.fail()
        assert say(world) == [("Data", "opened", "")]
        break_it(world)

    def test_is_stood_in_for_at_the_end(self, world: TellingWorld) -> None:
        world.succeed()

        assert say(world, minutes=5) == [("Ops", "recovered", "Data")]
        assert say(world, days=2) == []

    def test_is_stood_in_for_when_people_are_reminded(self, world: TellingWorld) -> None:
        assert say(world, hours=1) == [("Ops", "reminder", "Data")]
        world.succeed()

        assert say(world, minutes=5) == [("Ops", "recovered", "Data")]

    def test_tells_the_end_itself_when_it_is_mended(self, world: TellingWorld) -> None:
        assert say(world, hours=1) == [("Ops", "reminder", "Data")]
        mend(world)
        world.succeed()

        assert say(world, minutes=5) == [("Data", "recovered", "")]

    def test_is_not_written_over_elsewhere(self, world: TellingWorld) -> None:
        world.fail()
        assert say(world, minutes=5) == []
        mend(world)
        world.fail()

        assert say(world, minutes=5) == [("Data", "updated", "")]

    def test_has_its_reminder_told_when_it_was_held(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            make_settings(session, world.organization_id, quiet_from=12 * 60 + 30, quiet_until=14 * 60)
        assert say(world, hours=1) == []

        assert say(world, hours=2) == [("Ops", "reminder", "Data")]

    def test_has_a_reminder_that_was_held_told_though_more_happened(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            make_settings(session, world.organization_id, quiet_from=12 * 60 + 30, quiet_until=14 * 60)
        assert say(world, hours=1) == []
        world.fail()
        assert say(world) == []

        assert say(world, hours=2) == [("Ops", "reminder", "Data")]
        assert say(world, minutes=5) == []

    def test_hears_of_nothing_else_by_another_that_is_told_anyhow(self, world: TellingWorld, ops: UUID) -> None:
        with world.database.transaction() as session:
            make_rule(session, world.organization_id, ops)
        world.fail()
        assert say(world, minutes=5) == [("Ops", "opened", "")]
        world.succeed()

        assert say(world, minutes=5) == [("Ops", "recovered", "Data")]

    def test_is_stood_in_for_by_the_next_one(self, world: TellingWorld, ops: UUID) -> None:
        with world.database.transaction() as session:
            make_channel(session, world.organization_id, name="Third")
        break_it(world, ops)
        world.succeed()

        assert ("Third", "recovered", "Data") in say(world, minutes=5)

    def test_that_comes_back_is_told_by_the_other(self, world: TellingWorld) -> None:
        world.succeed()
        say(world, minutes=5)
        world.fail()
        assert say(world, minutes=5) == [("Ops", "opened", "Data")]
        world.succeed()

        assert say(world, minutes=5) == [("Ops", "recovered", "Data")]

    def test_that_nobody_stands_in_for_tells_when_it_is_mended(self, world: TellingWorld, ops: UUID) -> None:
        actor = actor_in(world.organization_id, Role.ADMIN)
        with world.database.transaction(Scope.tenant(world.organization_id)) as session:
            switch_channel(session, actor=actor, channel_id=ops, is_on=False, now=world.clock.moment)
        world.succeed()

        assert say(world, minutes=5) == [("Data", "recovered", "")]


class TestOneThatStandsIn:
    @pytest.fixture
    def told(self, world: TellingWorld, ops: UUID) -> None:
        break_it(world)
        world.sent()
        world.fail()
        assert say(world, minutes=1) == [("Ops", "opened", "Data")]

    @pytest.mark.usefixtures("told")
    def test_tells_the_end_of_what_it_told_when_the_other_is_mended(self, world: TellingWorld) -> None:
        mend(world)
        world.succeed()

        assert say(world, minutes=5) == [("Ops", "recovered", "")]

    @pytest.mark.usefixtures("told")
    def test_goes_on_reminding(self, world: TellingWorld) -> None:
        mend(world)

        assert say(world, hours=1) == [("Ops", "reminder", "")]

    @pytest.mark.usefixtures("told")
    def test_tells_it_beside_the_other_when_that_was_told_as_well(self, world: TellingWorld) -> None:
        mend(world)
        world.fail()
        assert say(world, minutes=5) == [("Data", "opened", ""), ("Ops", "updated", "")]
        world.succeed()

        assert say(world, minutes=5) == [("Data", "recovered", ""), ("Ops", "recovered", "")]

    @pytest.mark.usefixtures("told")
    def test_leaves_what_is_new_to_the_other(self, world: TellingWorld) -> None:
        mend(world)
        with world.database.transaction() as session:
            other = make_schedule(session, world.job, name="Other")
        world.fail(schedule=other)

        assert say(world, minutes=5) == [("Data", "opened", "")]

    @pytest.mark.usefixtures("told")
    def test_is_the_only_one_though_another_stands_in_by_now(self, world: TellingWorld, ops: UUID) -> None:
        with world.database.transaction() as session:
            session.get_one(Channel, ops).is_fallback = False
            make_channel(session, world.organization_id, name="Third", is_fallback=True)
        world.fail()
        assert say(world, minutes=5) == [("Ops", "updated", "Data")]
        world.succeed()

        assert say(world, minutes=5) == [("Ops", "recovered", "Data")]

    def test_leaves_what_was_held_to_the_other_when_that_is_mended(self, world: TellingWorld, ops: UUID) -> None:
        with world.database.transaction() as session:
            make_settings(session, world.organization_id, quiet_from=11 * 60, quiet_until=14 * 60)
        break_it(world)
        world.sent()
        world.fail()
        assert say(world) == []
        mend(world)

        assert say(world, hours=3) == [("Data", "opened", "")]

    def test_tells_what_was_held_for_one_that_broke_since(self, world: TellingWorld, ops: UUID) -> None:
        with world.database.transaction() as session:
            make_settings(session, world.organization_id, quiet_from=11 * 60, quiet_until=14 * 60)
        world.fail()
        assert say(world) == []
        break_it(world)
        world.sent()

        assert say(world, hours=3) == [("Ops", "opened", "Data")]


class TestMessagesThatMoveOver:
    """They were written for a channel that broke before they were sent."""

    def test_bring_their_end_along(self, world: TellingWorld, ops: UUID) -> None:
        world.fail()
        world.tell()
        break_it(world)
        moved = [row for row in world.deliveries() if row.channel_id == ops and row.kind == "opened"]
        assert [row.facts["instead_of"] for row in moved] == [["Data"]]
        world.sent()
        mend(world)
        world.succeed()

        assert say(world, minutes=5) == [("Ops", "recovered", "")]

    def test_bring_the_ends_of_what_is_told_together_along(self, world: TellingWorld, ops: UUID) -> None:
        with world.database.transaction() as session:
            others = [make_schedule(session, world.job, name=f"Other {number}") for number in range(8)]
        for other in others:
            world.fail(schedule=other)
        world.tell()
        world.fail()
        for row in world.deliveries():
            if row.kind != DeliveryKind.DIGEST.value:
                self.note_sent(world, row.id)
        break_it(world)
        world.sent()
        mend(world)
        for other in others:
            world.succeed(schedule=other)

        told = {row.channel_id for row in world.deliveries()}
        assert told == {world.channel_id, ops}
        assert {name for name, _, _ in say(world, minutes=5)} == {"Data", "Ops"}
        assert [row.is_told for row in world.tellings_of(ops)] == [False] * 4

    def test_that_the_other_had_itself_change_nothing(self, world: TellingWorld, ops: UUID) -> None:
        with world.database.transaction() as session:
            make_rule(session, world.organization_id, ops)
        world.fail()
        world.tell()
        break_it(world)
        world.sent()
        world.succeed()

        assert [one for one in say(world, minutes=5) if one[1] == "recovered"] == [("Ops", "recovered", "Data")]

    def test_that_are_too_many_were_told_to_nobody(self, world: TellingWorld, ops: UUID) -> None:
        world.fail()
        world.tell()
        with world.database.transaction() as session:
            mine = session.scalars(select(Delivery).where(Delivery.channel_id == world.channel_id)).one()
            for number in range(20):
                values = {"kind": "event", "type": "run_succeeded", "facts": mine.facts, "state": "pending"}
                later = {"next_try_at": mine.next_try_at, "created_at": mine.created_at.replace(minute=number + 1)}
                ids = {"organization_id": world.organization_id, "channel_id": world.channel_id}
                session.add(Delivery(**ids, **values, **later, key=f"more:{number}"))
        break_it(world)
        world.sent()
        world.succeed()

        assert say(world, minutes=5) == []

    def note_sent(self, world: TellingWorld, delivery_id: UUID) -> None:
        with world.database.transaction() as session:
            session.get_one(Delivery, delivery_id).state = "sent"
