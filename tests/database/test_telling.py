"""Events become incidents, and incidents messages: once, brought up to date, reminded of, and told when over."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.events.service import Topic
from app.jobs.models import Job
from app.jobs.policies import ErrorClass
from app.notifications.models import Channel, Rule
from app.notifications.types import LinkKind
from app.runs.interventions import cancel, stop_trying
from app.runs.models import Run
from app.runs.retries import Next
from app.runs.states import Reason, RunState
from app.schedules.models import Schedule
from tests.database.telling_world import TellingWorld
from tests.factories.figures import make_connection
from tests.factories.notifications import make_channel, make_rule, make_settings, make_window
from tests.factories.work import make_gap, make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

FAILED = ("opened", "Orders failed")


@pytest.fixture
def world(database: OpenDatabase) -> TellingWorld:
    return TellingWorld(database)


class TestFailures:
    def test_are_told_with_what_to_do(self, world: TellingWorld) -> None:
        run_id = world.fail(error="The table is gone")

        (facts,) = world.tell()

        assert (facts.kind.value, facts.title, facts.error) == ("opened", "Orders failed", "The table is gone")
        assert facts.to_do is not None
        assert [link.kind for link in facts.links] == [LinkKind.INCIDENT, LinkKind.RUN]
        assert (facts.links[1].id, facts.organization, facts.tags) == (run_id, "Acme", ("revenue",))

    def test_are_counted_in_the_same_message(self, world: TellingWorld) -> None:
        world.fail()
        assert world.say() == [FAILED]
        world.fail()
        assert world.say(seconds=1) == []

        (facts,) = world.tell(seconds=60)

        assert (facts.kind.value, facts.count, facts.nth) == ("updated", 2, 2)

    def test_have_one_recovery(self, world: TellingWorld) -> None:
        world.fail()
        world.say()
        world.succeed()
        world.succeed()

        (facts,) = world.tell(minutes=5)

        assert (facts.kind.value, facts.type.value) == ("recovered", "recovered")
        assert (facts.since, facts.until) == (utc("2027-01-05 12:00"), world.clock.moment - timedelta(minutes=5))
        assert world.say(minutes=5) == []
        assert world.entries() == ["opened", "recovered"]

    def test_that_are_over_tell_what_was_missed_and_made_up(self, world: TellingWorld) -> None:
        run_id = world.fail()
        world.say()
        with world.database.transaction() as session:
            make_gap(session, world.schedule, world.clock.moment, world.clock.moment, slots=3)
            session.get_one(Run, run_id).slot_at = world.clock.moment
        world.succeed()
        with world.database.transaction() as session:
            (well,) = session.scalars(select(Run).where(Run.state == "succeeded"))
            well.retry_of_run_id = run_id

        (facts,) = world.tell(minutes=5)

        assert (facts.missed_slots, facts.made_up) == (4, 1)

    def test_with_another_cause_are_told_at_once(self, world: TellingWorld) -> None:
        world.fail(error="It broke")
        world.say()
        world.fail(error="Something else entirely")

        assert world.say(minutes=1) == [FAILED]
        assert len(world.incidents()) == 2

    def test_that_another_try_follows_are_silent(self, world: TellingWorld) -> None:
        world.fail(then=Next(RunState.WAITING_RETRY, Reason.ERROR, world.clock.moment))

        assert world.say() == []
        assert world.incidents() == []

    def test_that_a_person_gave_up_are_silent(self, world: TellingWorld) -> None:
        run_id = world.fail(then=Next(RunState.WAITING_RETRY, Reason.ERROR, world.clock.moment))
        with world.database.transaction() as session:
            here = {"organization_id": world.organization_id, "now": world.clock.moment}
            assert stop_trying(session, run_id=run_id, explanation="enough", **here)

        assert world.say() == []

    def test_that_come_back_within_the_hour_are_the_same_incident_and_no_new_message(self, world: TellingWorld) -> None:
        world.fail()
        world.say()
        world.succeed()
        world.say(minutes=1)
        world.fail()

        assert world.say(minutes=10) == []
        (incident,) = world.incidents()
        assert (incident.state, incident.reopened, incident.happened) == ("open", 1, 2)
        assert world.say(minutes=50) == [FAILED]

    def test_that_come_back_and_go_within_the_cooldown_are_not_told(self, world: TellingWorld) -> None:
        world.fail()
        world.say()
        world.succeed()
        world.say(minutes=1)
        world.fail()
        world.succeed()

        assert world.say(minutes=10) == []
        assert world.say(hours=2) == []

    def test_of_a_schedule_that_is_deleted_are_over_without_having_recovered(self, world: TellingWorld) -> None:
        world.fail()
        world.say()
        world.append("schedule.deleted", world.schedule.id)

        (facts,) = world.tell(minutes=1)

        assert (facts.kind.value, facts.what) == ("recovered", "The schedule was deleted.")
        assert not world.incidents()[0].has_recovered


class TestWhatMessagesSay:
    def test_of_a_job_without_a_schedule_is_its_last_success(self, world: TellingWorld) -> None:
        world.succeed(job=world.job)
        well_at = world.clock.moment
        world.clock.advance(hours=2)
        world.fail(job=world.job)

        (facts,) = world.tell()

        assert facts.last_success_at == well_at
        assert len(facts.links) == 2

    def test_of_another_try_is_why_and_where(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            session.get_one(Rule, world.rule_id).types = ["retrying"]
        then = Next(RunState.WAITING_RETRY, Reason.ERROR, world.clock.moment + timedelta(minutes=1))
        world.fail(job=world.job, error_class=ErrorClass.NETWORK, then=then)

        (facts,) = world.tell()

        assert (facts.nth, facts.cause) == (1, "The service could not be reached.")
        assert [link.kind for link in facts.links] == [LinkKind.RUN, LinkKind.JOB]


class TestWhatEndsWithItsRun:
    @pytest.fixture
    def run_id(self, world: TellingWorld) -> UUID:
        with world.database.transaction() as session:
            job = session.get_one(Job, world.schedule.job_id)
            return make_run(session, job, now=world.clock.moment, schedule_id=world.schedule.id, slot_at=None)

    @pytest.mark.parametrize("kind", ["run.late", "run.slow", "run.longer", "run.stuck"])
    def test_is_over_when_somebody_cancels_it(self, world: TellingWorld, run_id: UUID, kind: str) -> None:
        world.append(kind, run_id, topic=Topic.RUNS)
        assert [kind for kind, _ in world.say()] == ["opened"]
        with world.database.transaction() as session:
            of_it = {"run_id": run_id, "organization_id": world.organization_id, "now": world.clock.moment}
            assert cancel(session, **of_it, reason=Reason.CANCELLED, explanation="Enough")

        (facts,) = world.tell(seconds=1)

        assert (facts.kind.value, facts.what) == ("recovered", "Its run was cancelled.")
        assert not world.incidents()[0].has_recovered

    def test_is_over_when_it_fails_and_nothing_else_is(self, world: TellingWorld, run_id: UUID) -> None:
        world.append("schedule.missed", world.schedule.id, topic=Topic.SCHEDULES, slots=2)
        world.append("run.stuck", run_id, topic=Topic.RUNS)
        world.fail()

        said = world.say()

        assert said == [("opened", "“Orders” missed 2 runs"), FAILED]
        assert [one.state for one in world.incidents()] == ["open", "closed", "open"]


class TestConnections:
    @pytest.fixture
    def schedules(self, world: TellingWorld) -> list[Schedule]:
        with world.database.transaction() as session:
            connection = make_connection(session, world.organization_id)
            job = make_job(session, world.organization_id, name="Read", connection_id=str(connection.id))
            job.kind = "sync"
            session.flush()
            return [make_schedule(session, job, name=f"Read {number}") for number in range(40)]

    def test_that_fail_for_forty_schedules_are_one_message(
        self, world: TellingWorld, schedules: list[Schedule]
    ) -> None:
        for schedule in schedules:
            world.fail(schedule=schedule, error_class=ErrorClass.REFUSED, error=f"Refused {schedule.name}")

        (facts,) = world.tell()

        assert facts.title.startswith("40 schedules fail on connection “")
        assert (facts.things, facts.count) == (40, 40)
        assert facts.links[1].kind is LinkKind.CONNECTION

    def test_that_are_refused_are_told_by_rules_of_failing_runs_as_well(
        self, world: TellingWorld, schedules: list[Schedule]
    ) -> None:
        with world.database.transaction() as session:
            connection_id = session.get_one(Job, schedules[0].job_id).definition["connection_id"]
            rule = session.get_one(Rule, world.rule_id)
            rule.types, rule.after_failures = ["run_failed"], 2
        for kind in ("connection.expired", "connection.refused"):
            world.append(kind, UUID(connection_id), topic=Topic.CONNECTIONS)
        assert world.say() == []
        world.fail(schedule=schedules[0], error_class=ErrorClass.REFUSED)
        # It was refused twice, and one run has failed once.
        assert world.say() == []
        for _ in range(2):
            world.fail(schedule=schedules[1], error_class=ErrorClass.REFUSED)

        (facts,) = world.tell()

        assert facts.title.startswith("The login of “")
        assert (facts.title.endswith("and 2 schedules fail"), facts.things) == (True, 2)
        assert len(world.incidents()) == 1

    @pytest.mark.parametrize("scope", ["tag", "schedule", "job"])
    @pytest.mark.parametrize("kind", ["connection.refused", "connection.expiring", "figures.stale", "figures.doubted"])
    def test_are_told_by_rules_of_what_reads_through_them(
        self, world: TellingWorld, schedules: list[Schedule], scope: str, kind: str
    ) -> None:
        with world.database.transaction() as session:
            connection_id = session.get_one(Job, schedules[0].job_id).definition["connection_id"]
            session.get_one(Schedule, schedules[3].id).tags = ["costs"]
            rule = session.get_one(Rule, world.rule_id)
            values = {"tag": "costs", "schedule": str(schedules[3].id), "job": str(schedules[3].job_id)}
            rule.scope_kind, rule.scope_value = scope, values[scope]
            foreign = make_connection(session, world.organization_id, name="Read by nobody")
        for one in (foreign.id, UUID(connection_id)):
            world.append(kind, one, topic=Topic.CONNECTIONS, stream="costs", days=3)

        (facts,) = world.tell()

        assert "Read by nobody" not in facts.title

    def test_say_when_a_run_through_them_last_went_well(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        with world.database.transaction() as session:
            first = session.get_one(Job, schedules[0].job_id)
            connection_id = UUID(first.definition["connection_id"])
            second = make_job(session, world.organization_id, name="Read more", connection_id=str(connection_id))
            second.kind = "sync"
        world.succeed(job=second)
        world.clock.advance(hours=1)
        world.succeed(job=first)
        well_at = world.clock.moment
        world.clock.advance(hours=1)
        # One that does not read through it says nothing of it.
        world.succeed(job=world.job)
        world.append("connection.refused", connection_id, topic=Topic.CONNECTIONS)

        (facts,) = world.tell()

        assert facts.last_success_at == well_at

    def test_never_name_a_connection_of_others(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            theirs = make_connection(session, make_organization(session), name="Their secret shop")
            job = make_job(session, world.organization_id, name="Read", connection_id=str(theirs.id))
            job.kind = "sync"
            session.flush()
            schedule = make_schedule(session, job, name="Read it")
        world.fail(schedule=schedule, error_class=ErrorClass.REFUSED)

        (facts,) = world.tell()

        assert "Their secret shop" not in str(facts.as_json())
        assert str(theirs.id) not in str(facts.as_json())

    def test_recover_when_all_of_them_work(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        for schedule in schedules[:2]:
            world.fail(schedule=schedule, error_class=ErrorClass.SERVER)
        world.say()
        world.succeed(schedule=schedules[0])
        assert world.say(seconds=1) == []
        world.succeed(schedule=schedules[1])

        assert [kind for kind, _ in world.say(seconds=1)] == ["recovered"]

    def test_that_are_reconnected_recover_at_once(self, world: TellingWorld, schedules: list[Schedule]) -> None:
        with world.database.transaction() as session:
            connection_id = session.get_one(Job, schedules[0].job_id).definition["connection_id"]
        for schedule in schedules:
            world.fail(schedule=schedule, error_class=ErrorClass.REFUSED)
        world.say()
        world.append("connection.reconnected", UUID(connection_id))

        assert [kind for kind, _ in world.say(seconds=1)] == ["recovered"]
        assert world.incidents()[0].has_recovered

    def test_whose_version_was_retired_are_told_until_it_is_served_again(
        self, world: TellingWorld, schedules: list[Schedule]
    ) -> None:
        with world.database.transaction() as session:
            connection_id = UUID(session.get_one(Job, schedules[0].job_id).definition["connection_id"])
        world.append("connection.version_retired", connection_id, service="shopify", text="Set the version.")
        told = world.say()
        world.append("connection.version_served", connection_id)

        assert ([kind for kind, _ in told], world.incidents()[0].type) == (["opened"], "connection_expiring")
        assert [kind for kind, _ in world.say(seconds=1)] == ["recovered"]
        assert world.incidents()[0].has_recovered


class TestRules:
    def test_wait_for_the_nth_failure_in_a_row(self, database: OpenDatabase) -> None:
        world = TellingWorld(database, after_failures=2)
        world.fail()
        assert world.say() == []
        world.succeed()
        world.fail()
        assert world.say(minutes=1) == []
        world.fail()

        assert world.say(minutes=1) == [FAILED]

    def test_count_in_a_row_whatever_the_cause(self, database: OpenDatabase) -> None:
        world = TellingWorld(database, after_failures=2)
        world.fail(error="It broke")
        world.fail(error="Something else")

        assert world.say() == [FAILED]

    def test_of_a_tag_speak_of_nothing_else(self, database: OpenDatabase) -> None:
        world = TellingWorld(database, scope_kind="tag", scope_value="costs")
        world.fail()
        assert world.say() == []

        with database.transaction() as session:
            make_rule(session, world.organization_id, world.channel_id, scope_kind="tag", scope_value="revenue")
        world.fail()

        assert world.say(minutes=1) == [FAILED]

    def test_that_say_the_same_send_one_message(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            make_rule(session, world.organization_id, world.channel_id)
        world.fail()

        assert world.say() == [FAILED]
        world.succeed()
        assert [kind for kind, _ in world.say(minutes=1)] == ["recovered"]

    def test_of_another_organization_say_nothing(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            other = make_organization(session, name="Other")
            make_rule(session, other, make_channel(session, other))
        world.fail()

        world.say()

        assert {row.organization_id for row in world.deliveries()} == {world.organization_id}

    def test_tell_the_fallback_where_a_channel_is_broken(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            session.get_one(Channel, world.channel_id).state = "broken"
            instead = make_channel(session, world.organization_id, is_fallback=True)
        world.fail()

        assert world.say() == [FAILED]
        assert [row.channel_id for row in world.deliveries()] == [instead]

    def test_tell_any_other_where_no_fallback_is_chosen(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            session.get_one(Channel, world.channel_id).state = "broken"
            make_channel(session, world.organization_id)
            instead = make_channel(session, world.organization_id, last_ok_at=world.clock.moment)
        world.fail()
        world.say()

        assert [row.channel_id for row in world.deliveries()] == [instead]

    def test_wait_for_a_broken_channel_where_there_is_no_other(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            session.get_one(Channel, world.channel_id).state = "broken"
        world.fail()

        assert world.say() == [FAILED]

    def test_tell_of_each_good_run_only_where_they_say_so(self, database: OpenDatabase) -> None:
        world = TellingWorld(database, types=["run_succeeded"])
        world.succeed()
        assert world.say() == [("event", "Orders succeeded")]
        world.succeed()

        assert world.say(minutes=30) == []

    def test_tell_of_tries_only_where_they_say_so(self, database: OpenDatabase) -> None:
        world = TellingWorld(database, types=["retrying"], after_failures=1)
        again_at = world.clock.moment + timedelta(minutes=10)
        world.fail(then=Next(RunState.WAITING_RETRY, Reason.ERROR, again_at), error="No luck")

        (facts,) = world.tell()

        assert (facts.kind.value, facts.title) == ("event", "Orders is tried again")
        assert (facts.nth, facts.next_try_at, facts.error) == (1, again_at, "No luck")


class TestSilence:
    def test_of_quiet_hours_ends_with_what_is_still_open(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            quiet = {"quiet_from": 13 * 60, "quiet_until": 15 * 60, "zone": "Europe/Riga"}
            make_settings(session, world.organization_id, **quiet)
        world.clock.moment = utc("2027-01-05 12:30")
        world.fail()
        assert world.say() == []

        assert world.say(minutes=30) == [FAILED]

    def test_of_quiet_hours_lets_some_through(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            quiet = {"quiet_from": 0, "quiet_until": 23 * 60, "quiet_lets_through": ["run_failed"]}
            make_settings(session, world.organization_id, **quiet)
        world.fail()

        assert world.say() == [FAILED]

    def test_of_maintenance_keeps_what_is_over_by_then(self, world: TellingWorld) -> None:
        with world.database.transaction() as session:
            until = {"starts_at": utc("2027-01-05 11:00"), "ends_at": utc("2027-01-05 13:00")}
            make_window(session, world.organization_id, **until)
        world.fail()
        assert world.say() == []
        world.succeed()

        assert world.say(hours=2) == []

    def test_of_a_snoozed_rule_ends(self, database: OpenDatabase) -> None:
        world = TellingWorld(database, snoozed_until=utc("2027-01-05 14:00"))
        world.fail()
        assert world.say() == []

        assert world.say(hours=2) == [FAILED]


class TestReminders:
    def test_come_at_growing_intervals(self, world: TellingWorld) -> None:
        world.fail()
        world.say()

        kinds = [[kind for kind, _ in world.say(hours=hours)] for hours in (0.5, 0.5, 3, 2, 17, 1, 24)]

        assert kinds == [[], ["reminder"], [], ["reminder"], [], ["reminder"], ["reminder"]]

    def test_are_not_sent_of_what_was_told_to_nobody(self, database: OpenDatabase) -> None:
        world = TellingWorld(database, after_failures=5)
        world.fail()

        assert world.say(hours=1) == []


class TestFloods:
    @pytest.fixture
    def failing(self, world: TellingWorld) -> TellingWorld:
        with world.database.transaction() as session:
            schedules = [make_schedule(session, world.job, name=f"Job {number}") for number in range(30)]
        for schedule in schedules:
            world.fail(schedule=schedule)
        self.schedules = schedules
        return world

    def test_become_a_few_messages_and_one_for_the_rest(self, failing: TellingWorld) -> None:
        kinds = [facts.kind.value for facts in failing.tell()]

        assert kinds == ["opened"] * 4 + ["digest"]
        facts = failing.tell()
        assert facts == []

    def test_name_the_first_and_count_the_rest(self, failing: TellingWorld) -> None:
        (digest,) = [facts for facts in failing.tell() if facts.kind.value == "digest"]

        assert digest.title == "26 incidents open"
        assert len(digest.lines) == 11
        assert digest.lines[-1] == "and 16 more"

    def test_that_end_are_told_alike(self, failing: TellingWorld) -> None:
        failing.tell()
        failing.sent()
        for schedule in self.schedules:
            failing.succeed(schedule=schedule)

        kinds = [facts.kind.value for facts in failing.tell(minutes=2)]

        assert kinds == ["recovered"] * 4 + ["digest"]

    def test_wait_while_nothing_can_be_sent_and_are_told_together_then(self, failing: TellingWorld) -> None:
        failing.tell()
        with failing.database.transaction() as session:
            later = [make_schedule(session, failing.job, name=f"Later {number}") for number in range(10)]
        for schedule in later:
            failing.fail(schedule=schedule)
        assert failing.tell(minutes=10) == []
        failing.sent()

        (digest,) = failing.tell(minutes=2)

        assert digest.title == "10 incidents open"


class TestBadEvents:
    def test_are_set_aside_and_named(self, world: TellingWorld) -> None:
        world.append("connection.expiring", world.schedule.id, days={"a": ["b"]}, ends_at=7)
        world.append("figures.stale", world.schedule.id, stream=None)
        run_id = world.fail(then=Next(RunState.WAITING_RETRY, Reason.ERROR, world.clock.moment))
        world.append("run.waiting_retry", run_id, attempt="not a number")
        world.fail()

        told = [title for _, title in world.say()]

        assert "Orders failed" in told
        assert world.bad_events() == ["run.waiting_retry"]
