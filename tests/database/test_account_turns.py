"""Runs that call the same account go one after the other, and none of them while its service wants to be left alone."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.models import Job
from app.jobs.services import Service
from app.ops.capacity import live_slots
from app.ops.why.answers import why_run
from app.ops.why.reasons import WhyCode, in_utc
from app.queue.dispatch import Dispatcher
from app.runs import planner, steering
from app.runs.models import Run
from app.runs.queue_models import ConnectionLimit
from app.schedules.models import Schedule
from app.syncs.calls.client import ServiceClient
from app.syncs.meta.door import MetaDoor
from app.syncs.meta.source import MetaSource
from app.tenants.access import Actor
from app.tenants.roles import Role
from tests.database.sync_world import SyncWorld, WorldClock, WorldWatch
from tests.factories.work import make_run, make_schedule
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.vault import SEALER
from tests.queue.crowd import Pocket


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database)


def dispatch(syncs: SyncWorld) -> list[UUID]:
    """The runs that would start now."""
    pocket = Pocket()
    Dispatcher(syncs.database, WorldClock(syncs.world), pocket, live_slots, own_slots=4).dispatch()
    return [one.run_id for one in pocket.sent]


def limits(syncs: SyncWorld) -> list[ConnectionLimit]:
    return syncs.rows(ConnectionLimit)


def limit(syncs: SyncWorld, **options: Any) -> None:
    usual: dict[str, Any] = {"regain": 12, "times": 1, "match": {"route": "insights"}}
    syncs.world.fail("meta", "rate_limit_hint", **usual | options)


class TestRunsOfAnAccount:
    def test_are_known_by_it_however_they_begin(self, syncs: SyncWorld) -> None:
        with syncs.database.transaction() as session:
            job = session.get_one(Job, syncs.job_id)
            make_run(session, job, now=syncs.world.now)
            schedule = make_schedule(session, job, name="Often", next_run_at=syncs.world.now)
            planner.tick(session, now=syncs.world.now)
            schedule_id = schedule.id

        runs = syncs.rows(Run)
        assert {run.schedule_id for run in runs} == {None, schedule_id}
        assert {run.connection_key for run in runs} == {str(syncs.connection_id)}

    @pytest.mark.parametrize("definition", [{"service": "meta"}, {"service": "meta", "connection_id": ""}])
    def test_without_one_share_nothing(self, syncs: SyncWorld, definition: dict[str, str]) -> None:
        with syncs.database.transaction() as session:
            job = session.get_one(Job, syncs.job_id)
            job.definition = definition
            make_run(session, job, now=syncs.world.now)

        assert [run.connection_key for run in syncs.rows(Run)] == [None]

    def test_go_one_after_the_other(self, syncs: SyncWorld) -> None:
        other = syncs.schedule_for(syncs.connect("2002"))
        syncs.sync()
        first, second = syncs.ready_run(), syncs.ready_run()
        with syncs.database.transaction() as session:
            of_other = make_run(
                session, session.get_one(Job, session.get_one(Schedule, other).job_id), now=syncs.world.now
            )

        called = dispatch(syncs)

        assert (set(called), dispatch(syncs)) == ({first, of_other}, [])
        assert syncs.run(second).hinted_at is None


class TestALimitOfTheService:
    def test_holds_back_all_runs_of_the_account_without_a_call_or_a_try(self, syncs: SyncWorld) -> None:
        limit(syncs)
        run = syncs.sync()
        asked = len(syncs.world.asked)

        other = syncs.ready_run()

        assert (dispatch(syncs), len(syncs.world.asked)) == ([], asked)
        (row,) = limits(syncs)
        assert (row.concurrency, row.limited_until) == (1, run.ready_at)
        assert (syncs.run(other).attempt, syncs.run(other).token) == (0, 0)

    def test_is_why_they_wait(self, syncs: SyncWorld) -> None:
        limit(syncs)
        run, other = syncs.sync(), syncs.ready_run()

        with syncs.database.reading() as session:
            telling = in_utc(syncs.world.now)
            why = why_run(session, organization_id=syncs.organization_id, run_id=other, telling=telling)

        found = next(one for one in (why, *why.also) if one.code is WhyCode.CONNECTION_RATE_LIMITED)
        assert found.until == run.ready_at
        assert "It says: Meta asks for fewer calls." in found.words

    def test_ends_by_itself(self, syncs: SyncWorld) -> None:
        limit(syncs)
        run, other = syncs.sync(), syncs.ready_run()

        syncs.let_time_pass(syncs.run(run.id))

        assert dispatch(syncs) in ([run.id], [other])

    def test_that_is_shorter_than_one_before_takes_nothing_off_it(self, syncs: SyncWorld) -> None:
        limit(syncs, regain=31)
        first, second = syncs.ready_run(), syncs.ready_run()
        until = syncs.attempt(first).ready_at
        limit(syncs, regain=2)

        syncs.attempt(second)

        assert [row.limited_until for row in limits(syncs)] == [until]

    def test_does_not_hold_back_other_accounts(self, syncs: SyncWorld) -> None:
        schedule_id = syncs.schedule_for(syncs.connect("2002"))
        limit(syncs)
        syncs.sync()
        with syncs.database.transaction() as session:
            job = session.get_one(Job, session.get_one(Schedule, schedule_id).job_id)
            other = make_run(session, job, now=syncs.world.now)

        assert dispatch(syncs) == [other]

    def test_is_cut_short_for_who_does_not_want_to_wait(self, syncs: SyncWorld) -> None:
        limit(syncs)
        run = syncs.sync()

        with syncs.database.transaction(syncs.scope) as session:
            actor = Actor(syncs.organization_id, Role.OWNER, "Ann")
            steering.retry_run_now(session, actor=actor, run_id=run.id, now=syncs.world.now)

        assert dispatch(syncs) == [run.id]
        assert [row.limited_until for row in limits(syncs)] == [None]

    def test_that_is_nearly_reached_at_the_end_of_a_run_holds_back_the_next(self, syncs: SyncWorld) -> None:
        syncs.world.fail("meta", "near_limit", percent=96, regain=12, times=1, match={"route": "insights", "nth": 8})
        run = syncs.sync()
        syncs.ready_run()

        assert (run.state, dispatch(syncs)) == ("succeeded", [])
        assert [row.limited_until for row in limits(syncs)] == [syncs.world.now + timedelta(minutes=12)]

    def test_is_kept_though_the_run_was_lost_meanwhile(self, syncs: SyncWorld) -> None:
        limit(syncs, match={"route": "account"})
        run_id = syncs.ready_run()

        syncs.lose_while_reading(run_id)

        assert [row.limited_until for row in limits(syncs)] == [syncs.world.now + timedelta(minutes=12)]


class _ThriftyDoor(MetaDoor):
    """Lets a run make three calls."""

    def client(self, *args: Any, **options: Any) -> ServiceClient:
        client = super().client(*args, **options)
        client.most_requests = 3
        return client


def test_a_limit_of_the_run_s_own_holds_back_no_other(syncs: SyncWorld) -> None:
    door = _ThriftyDoor(f"{BASE}/meta", "v26.0", InsideClient(syncs.world))
    kind = SyncKind(SEALER, {Service.META: MetaSource(door)}, watch=lambda context: WorldWatch(context, syncs.world))

    run, other = syncs.attempt(syncs.ready_run(), kind=kind), syncs.ready_run()

    assert (run.reason, dispatch(syncs)) == ("deferred", [other])


def test_a_stranger_s_row_is_not_touched(syncs: SyncWorld) -> None:
    limit(syncs)
    syncs.sync()

    with syncs.database.reading() as session:
        owners = set(session.scalars(select(ConnectionLimit.organization_id)))
    assert owners == {syncs.organization_id}
