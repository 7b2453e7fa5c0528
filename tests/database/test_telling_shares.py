"""Mutes and maintenance of some of what an incident concerns: the others' share is told, and of nothing else."""

from datetime import datetime, timedelta

import pytest

from app.jobs.policies import ErrorClass
from app.notifications.types import Facts
from app.schedules.models import Schedule
from tests.database.telling_world import TellingWorld
from tests.factories.figures import make_connection
from tests.factories.notifications import make_rule, make_window
from tests.factories.work import make_job, make_schedule
from tests.fakes.database import OpenDatabase


@pytest.fixture
def world(database: OpenDatabase) -> TellingWorld:
    return TellingWorld(database)


@pytest.fixture
def schedules(world: TellingWorld) -> list[Schedule]:
    """Three that read by one connection."""
    with world.database.transaction() as session:
        connection = make_connection(session, world.organization_id, name="Shop EU")
        job = make_job(session, world.organization_id, name="Read", connection_id=str(connection.id))
        job.kind = "sync"
        session.flush()
        tags = (["revenue"], ["revenue", "night"], [])
        return [make_schedule(session, job, name=f"Read {number}", tags=tags[number]) for number in range(3)]


def window(world: TellingWorld, kind: str, value: object, *, hours: float = 1) -> datetime:
    begin = world.clock.moment
    end = begin + timedelta(hours=hours)
    with world.database.transaction() as session:
        scope = {"scope_kind": kind, "scope_value": str(value)}
        make_window(session, world.organization_id, starts_at=begin, ends_at=end, **scope)
    return end


def fail(world: TellingWorld, *schedules: Schedule) -> None:
    for schedule in schedules:
        world.fail(schedule=schedule, error_class=ErrorClass.SERVER, error=f"No answer to {schedule.name}")


def names(facts: Facts) -> str:
    return str(facts.as_json())


class TestAMute:
    def test_leaves_the_others_to_be_told(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        window(world, "schedule", schedules[2].id)
        fail(world, *schedules)

        (facts,) = world.tell()

        assert facts.title == "2 schedules fail on connection “Shop EU”"
        assert (facts.things, facts.count) == (2, 2)
        assert "Read 2" not in names(facts)

    def test_names_the_one_that_is_left_though_it_was_not_the_first(
        self, world: TellingWorld, schedules: list[Schedule]
    ) -> None:
        window(world, "schedule", schedules[0].id)
        fail(world, schedules[0])
        assert world.say() == []
        fail(world, schedules[1])
        fail(world, schedules[0])

        (facts,) = world.tell(seconds=1)

        assert (facts.title, facts.error, facts.count) == ("Read 1 failed", "No answer to Read 1", 1)
        assert "Read 0" not in names(facts)

    def test_that_ends_adds_its_share_to_the_message(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        window(world, "schedule", schedules[0].id)
        fail(world, *schedules)
        world.say()
        world.sent()

        kinds = [(facts.kind.value, facts.things) for facts in world.tell(hours=1)]

        assert ("updated", 3) in kinds

    def test_of_all_of_them_holds_it_until_the_first_ends(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        for schedule, hours in zip(schedules, (3, 2, 5), strict=True):
            window(world, "schedule", schedule.id, hours=hours)
        fail(world, *schedules)
        assert world.say(minutes=119) == []

        assert world.say(minutes=1) == [("opened", "Read 1 failed")]

    def test_tells_nothing_where_only_what_is_muted_still_fails(
        self, world: TellingWorld, schedules: list[Schedule]
    ) -> None:
        window(world, "organization", "", hours=0.5)
        window(world, "schedule", schedules[0].id, hours=2)
        fail(world, *schedules[:2])
        assert world.say() == []
        world.succeed(schedule=schedules[1])

        assert world.say(hours=1) == []
        assert world.say(hours=1) == [("opened", "2 schedules fail on connection “Shop EU”")]

    def test_reminds_of_nothing_that_it_is_about(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        fail(world, schedules[0])
        world.say()
        window(world, "schedule", schedules[0].id, hours=3)

        assert world.say(hours=1) == []
        assert [kind for kind, _ in world.say(hours=2)] == ["reminder"]

    def test_keeps_no_recovery_of_what_was_told(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        fail(world, schedules[0])
        world.say()
        window(world, "schedule", schedules[0].id, hours=3)
        world.succeed(schedule=schedules[0])

        assert [kind for kind, _ in world.say(minutes=1)] == ["recovered"]

    def test_of_what_a_rule_is_about_holds_that_rule(self, database: OpenDatabase) -> None:
        world = TellingWorld(database, types=["late"])
        with database.transaction() as session:
            connection = make_connection(session, world.organization_id, name="Shop EU")
            job = make_job(session, world.organization_id, name="Read", connection_id=str(connection.id))
            job.kind = "sync"
            session.flush()
            mine, other = (make_schedule(session, job, name=name) for name in ("Mine", "Other"))
            scope = {"scope_kind": "schedule", "scope_value": str(mine.id)}
            make_rule(session, world.organization_id, world.channel_id, **scope)
        window(world, "schedule", mine.id)
        fail(world, mine, other)
        assert world.say() == []

        assert world.say(hours=1) == [("opened", "2 schedules fail on connection “Shop EU”")]


class TestMaintenance:
    def test_of_a_tag_leaves_what_has_it_not(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        window(world, "tag", "revenue")
        fail(world, *schedules)

        assert world.say() == [("opened", "Read 2 failed")]

    @pytest.mark.parametrize("kind", ["job", "service"])
    def test_of_all_of_it_holds_it(self, world: TellingWorld, schedules: list[Schedule], kind: str) -> None:
        with world.database.transaction() as session:
            job = session.get_one(type(world.job), schedules[0].job_id)
            job.service = "shopify"
        window(world, kind, job.id if kind == "job" else "shopify")
        fail(world, *schedules)
        assert world.say(minutes=59) == []

        assert [kind for kind, _ in world.say(minutes=1)] == ["opened"]

    def test_of_things_of_earlier_batches_counts_all(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        window(world, "tag", "revenue")
        fail(world, schedules[0])
        assert world.say(seconds=1) == []
        fail(world, schedules[1])
        assert world.say(seconds=1) == []
        fail(world, schedules[2])

        (facts,) = world.tell(seconds=1)

        assert (facts.title, facts.things, facts.count) == ("Read 2 failed", 1, 1)

    def test_says_in_the_timeline_why_nobody_is_told(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        window(world, "tag", "night")
        fail(world, schedules[1])
        world.say()
        fail(world, schedules[1])
        world.say(minutes=1)

        assert world.entries() == ["opened", "held", "happened"]
