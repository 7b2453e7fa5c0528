"""What people do about incidents: acknowledge, snooze, give to somebody, close, retry. With permission and audit."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.notifications import handling
from app.notifications.handling import IncidentNotFound, IncidentOver, NoteInvalid, SnoozeInvalid
from app.notifications.incident_rows import (
    IncidentFilter,
    count_open,
    get_incident,
    list_entries,
    list_incidents,
    list_things,
)
from app.ops.incident_retry import NothingToRetry, retry_incident
from app.ops.models import BulkItem
from app.runs.models import Run
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.database.telling_world import TellingWorld
from tests.factories.tenants import make_member
from tests.factories.work import actor_in, make_organization
from tests.fakes.database import OpenDatabase


@pytest.fixture
def world(database: OpenDatabase) -> TellingWorld:
    world = TellingWorld(database)
    world.fail()
    world.say()
    world.sent()
    return world


@pytest.fixture
def incident_id(world: TellingWorld) -> UUID:
    return world.incidents()[0].id


@pytest.fixture
def actor(world: TellingWorld) -> Actor:
    return actor_in(world.organization_id, Role.OPERATOR)


class TestAcknowledging:
    def test_ends_reminders_and_brings_the_message_up_to_date(
        self, world: TellingWorld, incident_id: UUID, actor: Actor
    ) -> None:
        world.clock.advance(minutes=5)
        with world.database.transaction() as session:
            assert handling.acknowledge(session, actor=actor, incident_id=incident_id, now=world.clock.moment)

        (facts,) = world.tell()

        assert (facts.kind.value, facts.is_acknowledged) == ("updated", True)
        assert world.say(days=3) == []
        with world.database.reading() as session:
            entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.summary) == ("incident.acknowledged", "Acknowledged: incident “Orders failed”")

    def test_twice_is_once_and_can_be_taken_back(self, world: TellingWorld, incident_id: UUID, actor: Actor) -> None:
        it = {"actor": actor, "incident_id": incident_id, "now": world.clock.moment}
        with world.database.transaction() as session:
            assert handling.acknowledge(session, **it)
            assert not handling.acknowledge(session, **it)
            assert handling.unacknowledge(session, **it)
            assert not handling.unacknowledge(session, **it)

        assert "reminder" in [kind for kind, _ in world.say(hours=2)]

    def test_is_for_who_may_run_things(self, world: TellingWorld, incident_id: UUID) -> None:
        viewer = actor_in(world.organization_id, Role.VIEWER)

        with world.database.transaction() as session, pytest.raises(PermissionMissing):
            handling.acknowledge(session, actor=viewer, incident_id=incident_id, now=world.clock.moment)

    def test_is_not_for_strangers(self, world: TellingWorld, incident_id: UUID) -> None:
        with world.database.transaction() as session:
            stranger = actor_in(make_organization(session, name="Other"))
        with world.database.transaction() as session, pytest.raises(IncidentNotFound):
            handling.acknowledge(session, actor=stranger, incident_id=incident_id, now=world.clock.moment)


class TestSnoozing:
    def test_holds_reminders_until_it_ends(self, world: TellingWorld, incident_id: UUID, actor: Actor) -> None:
        until = world.clock.moment + timedelta(hours=4)
        with world.database.transaction() as session:
            handling.snooze(session, actor=actor, incident_id=incident_id, until=until, now=world.clock.moment)

        assert [kind for kind, _ in world.say(hours=3)] == []
        assert [kind for kind, _ in world.say(hours=1)] == ["reminder"]

    def test_ends_always(self, world: TellingWorld, incident_id: UUID, actor: Actor) -> None:
        now = world.clock.moment
        for until in (now, now + timedelta(days=31)):
            with world.database.transaction() as session, pytest.raises(SnoozeInvalid):
                handling.snooze(session, actor=actor, incident_id=incident_id, until=until, now=now)

    def test_does_not_keep_the_end_from_anybody(self, world: TellingWorld, incident_id: UUID, actor: Actor) -> None:
        until = world.clock.moment + timedelta(hours=4)
        with world.database.transaction() as session:
            handling.snooze(session, actor=actor, incident_id=incident_id, until=until, now=world.clock.moment)
        world.succeed()

        assert [kind for kind, _ in world.say(minutes=5)] == ["recovered"]


class TestTheRest:
    def test_a_member_gets_it(self, world: TellingWorld, incident_id: UUID, actor: Actor) -> None:
        with world.database.transaction() as session:
            member = make_member(session, organization_id=world.organization_id, email="bo@example.com")
            it = {"actor": actor, "incident_id": incident_id, "now": world.clock.moment}
            handling.assign(session, user_id=member.user_id, **it)

            row = get_incident(session, organization_id=world.organization_id, incident_id=incident_id)
            assert row.assigned_to == member.user_id

    def test_one_that_is_closed_by_hand_is_over(self, world: TellingWorld, incident_id: UUID, actor: Actor) -> None:
        it = {"actor": actor, "incident_id": incident_id, "now": world.clock.moment}
        with world.database.transaction() as session:
            handling.close_by_hand(session, **it)
        with world.database.transaction() as session, pytest.raises(IncidentOver):
            handling.acknowledge(session, **it)

        (facts,) = world.tell(minutes=1)

        assert (facts.kind.value, facts.what) == ("recovered", "Closed by ana@example.com")
        world.fail()
        world.say(minutes=1)
        assert [row.state for row in world.incidents()] == ["closed", "open"]

    def test_a_note_is_kept(self, world: TellingWorld, incident_id: UUID, actor: Actor) -> None:
        it = {"actor": actor, "incident_id": incident_id, "now": world.clock.moment}
        with world.database.transaction() as session:
            handling.add_note(session, text="  The vendor\nknows  ", **it)
            entries = list_entries(session, organization_id=world.organization_id, incident_id=incident_id)
            assert [entry.words for entry in entries if entry.by] == ["The vendor knows"]
            with pytest.raises(NoteInvalid):
                handling.add_note(session, text=" ", **it)

    def test_lists_show_those_of_one_organization(self, world: TellingWorld, incident_id: UUID) -> None:
        here = {"organization_id": world.organization_id}
        with world.database.transaction() as session:
            other = {"organization_id": make_organization(session, name="Other")}
            assert [
                row.id for row in list_incidents(session, limit=10, wanted=IncidentFilter(is_open=True), **here)
            ] == [incident_id]
            assert list_incidents(session, limit=10, wanted=IncidentFilter(is_open=False), **here) == []
            assert list_incidents(session, limit=10, **other) == []
            assert (count_open(session, **here), count_open(session, **other)) == (1, 0)
            things = list_things(session, incident_id=incident_id, **here)
            assert [(thing.name, thing.failures) for thing in things] == [("Orders", 1)]


class TestRetryingAll:
    def test_retries_the_newest_failure_of_each(self, world: TellingWorld, incident_id: UUID) -> None:
        newest = world.fail()
        world.say(minutes=1)

        assert self.retried(world, incident_id) == [newest]
        assert "retried" in world.entries()

    def test_is_not_for_strangers(self, world: TellingWorld, incident_id: UUID) -> None:
        with world.database.transaction() as session:
            other = make_organization(session, name="Other")
        with world.database.transaction() as session, pytest.raises(IncidentNotFound):
            retry_incident(session, actor=actor_in(other), incident_id=incident_id, now=world.clock.moment)

    def test_finds_nothing_where_all_was_dealt_with(self, world: TellingWorld, incident_id: UUID) -> None:
        self.deal_with_all(world)

        with pytest.raises(NothingToRetry):
            self.retried(world, incident_id)

    def retried(self, world: TellingWorld, incident_id: UUID) -> list[UUID]:
        with world.database.transaction() as session:
            member = make_member(session, organization_id=world.organization_id, email="admin@example.com")
            bulk_id = retry_incident(session, actor=member.actor, incident_id=incident_id, now=world.clock.moment)
            return list(session.scalars(select(BulkItem.object_id).where(BulkItem.bulk_action_id == bulk_id)))

    def deal_with_all(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            for run in session.scalars(select(Run)):
                run.dismissed_at = world.clock.moment
