"""The jobs that read from connections: how a connection gets one, and what may be said in its definition."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.jobs.kinds.base import DefinitionInvalid, KindName
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.models import Job
from app.jobs.queries import JobRow, get_job
from app.jobs.service import JobDraft, create_job, draft_of, revise_job
from app.jobs.sync_jobs import bind_sync_job, jobs_of_connection
from app.runs.pausing import pause_schedules_of
from app.runs.resuming import why_none_runs
from app.runs.service import switch_schedule
from app.schedules.defaults import find_default, give_default_schedules
from app.schedules.of_connections import schedules_of_connection, schedules_of_connections
from app.schedules.queries import get_schedule
from app.syncs.connections import ConnectionNotFound
from app.tenants.access import Actor
from tests.database.sync_world import meta_sources
from tests.factories.figures import make_connection
from tests.factories.work import actor_in, make_organization, make_schedule
from tests.fakes.clock import utc
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.world import World
from tests.fakes.vault import SEALER

NOW = utc("2027-01-05 12:00")
KINDS = {KindName.SYNC: SyncKind(SEALER, meta_sources(World(MetaFake())))}


@pytest.fixture
def actor(session: Session) -> Actor:
    organization_id = make_organization(session)
    give_default_schedules(session, organization_id=organization_id, now=NOW)
    return actor_in(organization_id)


def connect(session: Session, actor: Actor, name: str = "Acme EU", **columns: Any) -> UUID:
    return make_connection(session, actor.organization_id, name=name, **columns).id


def bind(session: Session, actor: Actor, connection_id: UUID, service: str = "meta") -> UUID:
    return bind_sync_job(session, actor=actor, connection_id=connection_id, service=service, now=NOW)


class TestBinding:
    def test_gives_the_first_account_the_job_that_came_with_the_organization(self, session, actor) -> None:
        default = find_default(session, organization_id=actor.organization_id, service="meta")

        connection_id = connect(session, actor)
        job_id = bind(session, actor, connection_id)

        schedule = get_schedule(session, organization_id=actor.organization_id, schedule_id=default.id)
        assert (job_id, schedule.enabled, why_none_runs(schedule)) == (default.job_id, False, None)
        assert schedule.connection_id == str(connection_id)
        assert why_none_runs(default) is not None

    def test_makes_a_job_for_each_other_one(self, session, actor) -> None:
        first = bind(session, actor, connect(session, actor))

        second_connection = connect(session, actor, "Acme US")
        second = bind(session, actor, second_connection)

        job = get_job(session, organization_id=actor.organization_id, job_id=second)
        assert (second != first, job.name, job.retry.delay_seconds) == (True, "Sync Acme US", 600)
        assert job.definition == {"service": "meta", "connection_id": str(second_connection)}

    def test_twice_is_once(self, session, actor) -> None:
        connection_id = connect(session, actor)

        assert bind(session, actor, connection_id) == bind(session, actor, connection_id)
        assert len(jobs_of_connection(session, organization_id=actor.organization_id, connection_id=connection_id)) == 1

    def test_takes_the_job_of_an_account_that_was_disconnected(self, session, actor) -> None:
        job_id = bind(session, actor, connect(session, actor, "Old", state="disconnected"))

        assert bind(session, actor, connect(session, actor, "New")) == job_id

    def test_finds_a_name_however_long_and_often_taken(self, session, actor) -> None:
        bind(session, actor, connect(session, actor))
        long = "N" * 120

        jobs = [bind(session, actor, connect(session, actor, long[: 120 - each])) for each in range(3)]

        names = {get_job(session, organization_id=actor.organization_id, job_id=job_id).name for job_id in jobs}
        assert (len(names), max(map(len, names))) == (3, 120)

    def test_of_another_organizations_connection_is_refused(self, session, actor) -> None:
        foreign = make_connection(session, make_organization(session, "Other")).id

        with pytest.raises(ConnectionNotFound):
            bind(session, actor, foreign)


class TestADefinition:
    @pytest.mark.parametrize(
        ("definition", "field"),
        [
            ({"service": "tiktok"}, "service"),
            ({}, "service"),
            ({"service": "meta", "connection_id": "7"}, "connection_id"),
            ({"service": "meta", "connection_id": ["7"]}, "connection_id"),
            ({"service": "meta", "streams": ["campaigns", "ads"]}, "streams"),
            ({"service": "meta", "streams": "campaigns"}, "streams"),
            ({"service": "ga4", "streams": ["campaigns"]}, "streams"),
            ({"service": "meta", "account": "1001"}, "account"),
        ],
    )
    def test_that_says_something_else_is_refused_by_its_field(self, definition: dict[str, Any], field: str) -> None:
        with pytest.raises(DefinitionInvalid) as refused:
            KINDS[KindName.SYNC].check(definition)

        assert list(refused.value.problems) == [field]

    def test_of_before_connections_stays_what_it_was(self) -> None:
        assert KINDS[KindName.SYNC].check({"service": "ga4"}) == {"service": "ga4"}

    def test_keeps_streams_in_their_order_and_each_once(self) -> None:
        checked = KINDS[KindName.SYNC].check({"service": "meta", "streams": ["account", "campaigns", "account"]})

        assert checked == {"service": "meta", "streams": ["campaigns", "account"]}

    @pytest.mark.parametrize("columns", [{"state": "disconnected"}, {"service": "ga4"}])
    def test_names_a_connection_that_can_be_read(self, session, actor, columns: dict[str, str]) -> None:
        connection_id = connect(session, actor, **columns)

        with pytest.raises(DefinitionInvalid) as refused:
            self.make(session, actor, connection_id)

        assert list(refused.value.problems) == ["connection_id"]

    def test_names_no_connection_of_somebody_else(self, session, actor) -> None:
        foreign = make_connection(session, make_organization(session, "Other")).id
        for connection_id in (foreign, new_id()):
            with pytest.raises(DefinitionInvalid, match="This connection is gone"):
                self.make(session, actor, connection_id)

    def test_can_be_changed_but_for_its_service(self, session, actor) -> None:
        connection_id = connect(session, actor)
        job_id = self.make(session, actor, connection_id)
        before = get_job(session, organization_id=actor.organization_id, job_id=job_id)
        definition = {**before.definition, "streams": ["account"]}

        self.revise(session, actor, before, definition)
        with pytest.raises(DefinitionInvalid, match="keeps its service"):
            self.revise(session, actor, before, {"service": "ga4"})

        session.expire_all()
        assert session.get_one(Job, job_id).definition == definition

    def revise(self, session: Session, actor: Actor, before: JobRow, definition: dict[str, Any]) -> None:
        draft = replace(draft_of(before), definition=definition)
        revise_job(session, actor=actor, kinds=KINDS, job_id=before.id, draft=draft, revision=before.revision, now=NOW)

    def make(self, session: Session, actor: Actor, connection_id: UUID) -> UUID:
        draft = JobDraft("Mine", KindName.SYNC, {"service": "meta", "connection_id": str(connection_id)})
        return create_job(session, actor=actor, kinds=KINDS, draft=draft, now=NOW)


class TestSchedules:
    def test_of_connections_are_found_and_those_of_others_are_not(self, session, actor) -> None:
        connection_id, other = connect(session, actor), connect(session, actor, "Other")
        job = session.get_one(Job, bind(session, actor, connection_id))
        bind(session, actor, other)
        schedule = make_schedule(session, job, name="Hourly", next_run_at=NOW)

        found = schedules_of_connections(
            session, organization_id=actor.organization_id, connection_ids=[connection_id, other]
        )

        assert {key: [each.name for each in value] for key, value in found.items()} == {
            connection_id: ["Hourly", "Meta sync"]
        }
        assert schedule.id in {each.id for each in found[connection_id]}

    def test_that_are_paused_say_why_until_somebody_switches_them(self, session, actor) -> None:
        connection_id = connect(session, actor)
        job = session.get_one(Job, bind(session, actor, connection_id))
        schedule = make_schedule(session, job, name="Hourly", next_run_at=utc("2027-01-05 13:00"))
        here = {"organization_id": actor.organization_id, "connection_id": connection_id}

        paused = [pause_schedules_of(session, **here, reason="it was disconnected", now=NOW) for _ in range(2)]

        row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule.id)
        assert (paused, row.enabled, row.is_paused_for_connection) == ([1, 0], False, True)
        assert row.switched_by == "Belfry, because it was disconnected"
        assert [each.is_paused_for_it for each in schedules_of_connection(session, **here)] == [True, False]
        switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=True, now=NOW)
        assert [each.is_paused_for_it for each in schedules_of_connection(session, **here)] == [False, False]
