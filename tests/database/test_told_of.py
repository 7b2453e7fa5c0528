"""Who was told of the incident of a run, and why nobody was."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from app.core.ids import new_id
from app.jobs.policies import ErrorClass
from app.notifications.incident_models import Incident
from app.notifications.incident_rows import get_incident, incidents_of_thing
from app.notifications.lookups import run_facts
from app.notifications.models import Channel, Delivery, Rule, Telling
from app.notifications.signals import EventFacts
from app.notifications.told_of import SOON, STOOD_IN, How, ToldOf, incident_of_run, read_told
from tests.database.telling_world import TellingWorld
from tests.factories.notifications import make_incident, make_settings
from tests.fakes.database import OpenDatabase


@pytest.fixture
def world(database: OpenDatabase) -> TellingWorld:
    return TellingWorld(database)


def change(world: TellingWorld, table: Any, **values: Any) -> None:
    with world.database.transaction() as session:
        session.execute(update(table).values(**values))


def incident_of(world: TellingWorld, run_id: UUID, error_class: ErrorClass = ErrorClass.JOB) -> UUID | None:
    """As the page of the run finds it."""
    event = EventFacts(0, world.organization_id, "run.failed", run_id, world.clock.moment)
    with world.database.reading() as session:
        facts = run_facts(session, [event])[run_id]
        found = incident_of_run(
            session, organization_id=world.organization_id, run=facts, error_class=error_class.value,
            failed_at=world.clock.moment,
        )  # fmt: skip
    return None if found is None else found.id


def told(world: TellingWorld) -> ToldOf:
    """Of the only incident there is."""
    with world.database.reading() as session:
        (incident_id,) = session.scalars(Incident.__table__.select().with_only_columns(Incident.id))
        here = {"organization_id": world.organization_id}
        return read_told(session, **here, incident=get_incident(session, **here, incident_id=incident_id))


class TestTheIncidentOfARun:
    def test_is_that_of_its_cause(self, world: TellingWorld):
        first = world.fail(schedule=world.schedule)
        world.tell()
        other = world.fail(schedule=world.schedule, error="Something else broke")
        world.tell()

        assert incident_of(world, first) is not None
        assert incident_of(world, other) not in (None, incident_of(world, first))

    def test_is_still_found_when_it_is_over(self, world: TellingWorld):
        run_id = world.fail(schedule=world.schedule)
        world.tell()
        failed_at = world.clock.moment
        world.clock.advance(minutes=5)
        world.succeed(schedule=world.schedule)
        world.tell()
        world.clock.moment = failed_at

        assert incident_of(world, run_id) is not None

    def test_is_none_before_it_is_written_down(self, world: TellingWorld):
        assert incident_of(world, world.fail()) is None

    def test_is_open_on_the_page_of_its_schedule(self, world: TellingWorld):
        world.fail(schedule=world.schedule)
        world.tell()
        here = {"organization_id": world.organization_id, "limit": 3}

        with world.database.reading() as session:
            found = incidents_of_thing(session, subject_id=world.schedule.id, **here)
            others = incidents_of_thing(session, subject_id=world.job.id, **here)
            strangers = incidents_of_thing(session, subject_id=world.schedule.id, organization_id=new_id(), limit=3)
        assert [row.title for row in found] == ["Orders failed"]
        assert (others, strangers) == ([], [])


class TestWhoWasTold:
    def test_a_channel_that_has_its_message(self, world: TellingWorld):
        world.fail()
        world.tell()
        before = told(world)
        change(world, Delivery, state="sent", sent_at=world.clock.moment)

        (line,) = told(world).lines
        assert [one.how for one in before.lines] == [How.WAITING]
        assert (line.how, line.at) == (How.TOLD, world.clock.moment)

    @pytest.mark.parametrize(("state", "how"), [("failed", How.FAILING), ("given_up", How.LOST)])
    def test_a_channel_that_was_not_reached(self, world: TellingWorld, state: str, how: How):
        world.fail()
        world.tell()
        change(world, Delivery, state=state, last_error="It answered 503.")

        (line,) = told(world).lines
        assert (line.how, line.why) == (how, "It answered 503.")

    def test_a_channel_that_was_told_of_several_at_once(self, world: TellingWorld):
        world.fail()
        world.tell()
        change(world, Delivery, incident_id=None, kind="digest")

        (line,) = told(world).lines
        assert (line.how, line.at, line.why) == (How.TOLD, world.clock.moment, "with others in one message")

    def test_nobody_yet_in_quiet_hours(self, world: TellingWorld):
        with world.database.transaction() as session:
            make_settings(session, world.organization_id, quiet_from=0, quiet_until=23 * 60)
        world.fail()
        world.tell()

        (line,) = told(world).lines
        assert (line.how, line.why) == (How.HELD, "these are quiet hours")
        assert line.at is not None


class TestWhyNobodyWasTold:
    @pytest.mark.parametrize(
        ("table", "values", "why"),
        [
            (Channel, {"deleted_at": "now"}, "There is no channel to tell it by."),
            (Rule, {"is_enabled": False}, "No rule is in use."),
            (Rule, {"types": ["stuck"]}, "No rule in use tells of this."),
            (Rule, {"scope_kind": "tag", "scope_value": "other"}, "No rule in use tells of this."),
            (Channel, {"state": "off"}, "The channels of its rules are off or deleted."),
            (Rule, {"after_failures": 3}, "Its rules tell from the 3rd failure in a row on."),
        ],
    )  # fmt: skip
    def test_is_said(self, world: TellingWorld, table: Any, values: dict[str, Any], why: str):
        moment = world.clock.moment
        change(world, table, **{name: moment if value == "now" else value for name, value in values.items()})
        world.fail()
        world.tell()

        assert told(world) == ToldOf(why_nobody=why)

    def test_is_that_the_rule_came_later(self, world: TellingWorld):
        change(world, Rule, is_enabled=False)
        world.fail()
        world.tell()
        change(world, Rule, is_enabled=True, created_at=world.clock.moment + timedelta(minutes=1))

        assert told(world).why_nobody == "Its rules were made after it last happened."

    def test_is_not_said_of_a_channel_for_which_another_one_stands_in(self, world: TellingWorld):
        with world.database.transaction() as session:
            make_incident(session, world.organization_id, type="channel_broken", subject_kind="channel")

        assert (told(world).why_nobody, told(world).is_nobody) == (STOOD_IN, False)

    def test_is_not_said_of_what_another_time_was_told(self, world: TellingWorld):
        world.fail()
        world.tell()
        change(world, Telling, told_at=world.clock.moment - timedelta(days=1))
        change(world, Delivery, incident_id=None)

        assert (told(world).why_nobody, told(world).is_nobody) == (SOON, False)
