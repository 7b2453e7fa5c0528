"""Limits of queue, job, connection and organization: strict, in every way in which runs are called."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from uuid import UUID

import pytest
from sqlalchemy import update

from app.core.ids import new_id
from app.core.schema import SchemaGate, newest_migration
from app.core.scopes import Scope
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.policies import Priority
from app.jobs.queries import get_job
from app.jobs.service import draft_of
from app.ops.heartbeats import ProcessFacts, beat
from app.queue.finder import OVERLOOKED_AFTER, Finder
from app.queue.served import Served
from app.queue.slots import Slots
from app.queue.stale import STALE_AFTER
from app.runs.facts import Taking
from app.runs.models import Run
from app.runs.queue_models import QueueSwitch
from app.runs.service import revise_job
from app.runs.states import RunState
from app.tenants.models import Organization
from tests.factories.work import actor_in
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.kind import scripted_kinds
from tests.queue.crew import eventually
from tests.queue.crowd import Crowd


@pytest.fixture
def broker() -> str:
    """Whichever it is: hints are kept by the test."""
    return "file"


@pytest.fixture
def crowd(database: OpenDatabase, clock: ManualClock) -> Crowd:
    return Crowd(database, clock)


def limit_organization(crowd: Crowd, organization_id: UUID, number: int) -> None:
    with crowd.database.transaction() as session:
        session.execute(update(Organization).where(Organization.id == organization_id).values(concurrency=number))


def limit_job(crowd: Crowd, organization_id: UUID, job_id: UUID, number: int) -> None:
    with crowd.database.transaction(Scope.tenant(organization_id)) as session:
        job = get_job(session, organization_id=organization_id, job_id=job_id)
        revise_job(
            session, actor=actor_in(organization_id), kinds=scripted_kinds(), job_id=job_id,
            draft=replace(draft_of(job), concurrency=number), revision=job.revision, now=crowd.clock.moment,
        )  # fmt: skip


class TestAtOnce:
    def test_no_more_of_a_queue_than_it_allows(self, crowd: Crowd) -> None:
        crowd.ready(crowd.job(kind=KindName.WORKFLOW), 10)
        crowd.limit_queue("workflow", concurrency=3, rate_starts=None, rate_seconds=None)

        first = crowd.dispatch()
        running = crowd.take_hint()
        while_it_runs = crowd.dispatch()
        crowd.end(running)

        assert (len(first), len(while_it_runs), len(crowd.dispatch())) == (3, 0, 1)

    def test_no_more_of_a_job_than_it_allows_while_others_pass(self, crowd: Crowd) -> None:
        here = crowd.organization()
        crowd.ready(crowd.job(here, concurrency=1), 5)
        others = crowd.ready(crowd.job(here), 2)

        called = crowd.dispatch()

        assert len(called) == 3
        assert set(called) >= set(others)

    def test_as_many_of_a_job_as_it_allows_at_this_very_moment(self, crowd: Crowd) -> None:
        job_id = crowd.job(concurrency=1)
        crowd.ready(job_id, 5)
        first = crowd.dispatch()

        with crowd.database.transaction() as session:
            session.get_one(Job, job_id).concurrency = 3

        assert (len(first), len(crowd.dispatch())) == (1, 2)

    def test_no_more_of_a_job_than_its_new_limit_although_more_were_called(self, crowd: Crowd) -> None:
        here = crowd.organization()
        job_id = crowd.job(here)
        runs = crowd.ready(job_id, 4)
        before = crowd.dispatch()

        limit_job(crowd, here, job_id, 1)

        called = crowd.dispatch()
        begun = [run_id for run_id in runs if crowd.begin(run_id)]
        assert (len(before), len(called), begun) == (4, 1, called)

    def test_no_more_of_an_organization_than_it_may_have(self, crowd: Crowd) -> None:
        limited, free = crowd.organization("Limited"), crowd.organization("Free")
        crowd.ready(crowd.job(limited), 6)
        limit_organization(crowd, limited, 2)
        others = crowd.ready(crowd.job(free), 3)

        called = crowd.dispatch()

        assert len(called) == 5
        assert set(called) >= set(others)

    def test_no_more_of_a_connection_than_it_bears_whichever_job_asks(self, crowd: Crowd) -> None:
        here = crowd.organization()
        crowd.limit_connection(here, "shop-1", concurrency=2)
        for _ in range(2):
            crowd.ready(crowd.job(here), 3, connection_key="shop-1")
        other = crowd.ready(crowd.job(here), 1, connection_key="shop-2")

        called = crowd.dispatch()

        assert len(called) == 3
        assert set(called) >= set(other)

    def test_nothing_of_a_connection_before_it_may_be_asked_again(self, crowd: Crowd) -> None:
        here = crowd.organization()
        until = crowd.clock.moment + timedelta(minutes=5)
        crowd.limit_connection(here, "shop-1", limited_until=until)
        crowd.ready(crowd.job(here), 2, connection_key="shop-1")

        early = crowd.dispatch()
        crowd.clock.moment = until

        assert (len(early), len(crowd.dispatch())) == (0, 2)

    def test_a_full_queue_keeps_no_place_of_an_organization_from_another_queue(self, crowd: Crowd) -> None:
        here, rival = crowd.organization(), crowd.organization("Rival")
        crowd.limit_queue("workflow", concurrency=1, rate_starts=None, rate_seconds=None)
        crowd.ready(crowd.job(rival, kind=KindName.WORKFLOW))
        limit_organization(crowd, here, 1)
        crowd.ready(crowd.job(here, kind=KindName.WORKFLOW))
        (other,) = crowd.ready(crowd.job(here))

        assert other in crowd.dispatch()


class TestTwoDispatchersAtOnce:
    def test_never_fill_the_last_place_twice(self, crowd: Crowd) -> None:
        crowd.limit_queue("code", concurrency=1)
        crowd.ready(crowd.job(), 30)
        most = 0

        for _ in range(8):
            dispatchers = [crowd.another_dispatcher(4) for _ in range(3)]
            barrier = Barrier(len(dispatchers))

            def pass_at_once(index: int, barrier: Barrier = barrier, all_of_them=tuple(dispatchers)) -> None:  # type: ignore[no-untyped-def]
                barrier.wait(10)
                all_of_them[index].dispatch()

            threads = [Thread(target=pass_at_once, args=(index,)) for index in range(len(dispatchers))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
            most = max(most, crowd.under_way)
            crowd.end(crowd.take_hint())

        assert most == 1


class TestRate:
    def test_lets_so_many_start_and_the_next_one_when_its_time_has_come(self, crowd: Crowd) -> None:
        crowd.limit_queue("sync", concurrency=None, rate_starts=4, rate_seconds=2)
        crowd.ready(crowd.job(kind=KindName.SYNC), 20)

        burst = [crowd.take_hint() for _ in crowd.dispatch()]
        crowd.clock.advance(seconds=0.4)
        early = crowd.dispatch()
        crowd.clock.advance(seconds=0.2)

        assert (len(burst), len(early), len(crowd.dispatch())) == (4, 0, 1)

    def test_saves_up_no_more_than_one_burst(self, crowd: Crowd) -> None:
        crowd.limit_queue("sync", concurrency=None, rate_starts=2, rate_seconds=1)
        crowd.ready(crowd.job(kind=KindName.SYNC), 20)
        for _ in crowd.dispatch():
            crowd.take_hint()

        crowd.clock.advance(seconds=3600)

        assert len(crowd.dispatch()) == 2

    def test_lets_no_more_wait_for_a_slot_than_may_start_together(self, crowd: Crowd) -> None:
        crowd.limit_queue("sync", concurrency=None, rate_starts=2, rate_seconds=1)
        crowd.ready(crowd.job(kind=KindName.SYNC), 20)
        first = crowd.dispatch()

        crowd.clock.advance(seconds=10)
        while_all_slots_are_busy = crowd.dispatch()
        crowd.take_hint()

        assert (len(first), len(while_all_slots_are_busy), len(crowd.dispatch())) == (2, 0, 1)

    def test_counts_starts_and_not_what_goes_on(self, crowd: Crowd) -> None:
        crowd.limit_queue("sync", concurrency=None, rate_starts=1, rate_seconds=10)
        crowd.ready(crowd.job(kind=KindName.SYNC), 3)
        crowd.dispatch()
        crowd.end(crowd.take_hint())

        assert crowd.dispatch() == []


class TestPriority:
    def test_decides_within_an_organization(self, crowd: Crowd) -> None:
        here = crowd.organization()
        crowd.ready(crowd.job(here, priority=Priority.LOW), 4)
        crowd.ready(crowd.job(here, priority=Priority.NORMAL), 4)
        urgent = crowd.ready(crowd.job(here, priority=Priority.HIGH), 2)

        assert crowd.dispatch()[:2] == urgent

    def test_gets_no_organization_ahead_of_another(self, crowd: Crowd) -> None:
        loud, modest = crowd.organization("Loud"), crowd.organization("Modest")
        crowd.ready(crowd.job(loud, priority=Priority.HIGH), 20)
        quiet = crowd.ready(crowd.job(modest, priority=Priority.LOW), 4)

        called = crowd.dispatch()

        assert len(called) == 8
        assert set(called) >= set(quiet)


class TestFairShare:
    def test_lets_one_run_start_after_at_most_three_for_each_slot(
        self, database: OpenDatabase, clock: ManualClock
    ) -> None:
        slots, starts = 4, 0
        crowd = Crowd(database, clock, slots=slots)
        crowd.ready_at_once(crowd.job(crowd.organization("A"), priority=Priority.HIGH), 1_000)
        crowd.dispatch()
        going = [crowd.take_hint() for _ in range(slots)]
        crowd.dispatch()
        (wanted,) = crowd.ready(crowd.job(crowd.organization("B")))

        while wanted not in going:
            # Each slot in its turn: its run ends, and the oldest hint is followed.
            crowd.end(going.pop(0))
            going.append(crowd.take_hint())
            starts += 1
            # Workers ask for more once for as many runs as they have slots.
            if starts % slots == 0:
                crowd.dispatch()

        assert starts - 1 <= 3 * slots


class TestConnectionThatTakesNone:
    def limited(self, crowd: Crowd) -> tuple[UUID, UUID]:
        here = crowd.organization()
        crowd.limit_connection(here, "shop-1", limited_until=crowd.clock.moment + timedelta(hours=1))
        return here, crowd.job(here)

    def test_hides_no_runs_of_its_jobs_on_other_connections(self, crowd: Crowd) -> None:
        _, job_id = self.limited(crowd)
        crowd.ready(job_id, 30, connection_key="shop-1")
        others = crowd.ready(job_id, 2, connection_key="shop-2")

        assert crowd.dispatch() == others

    def test_hides_none_of_those_either_that_stand_aside_with_them(self, crowd: Crowd) -> None:
        here, job_id = self.limited(crowd)
        limit_job(crowd, here, job_id, 1)
        (first,) = crowd.ready(job_id)
        crowd.dispatch()
        crowd.take_hint()
        crowd.ready(job_id, 30, connection_key="shop-1")
        (other,) = crowd.ready(job_id, connection_key="shop-2")
        at_the_limit = crowd.dispatch()
        crowd.end(first)

        assert (at_the_limit, crowd.dispatch()) == ([], [other])
        assert crowd.count(Run.aside_at.is_not(None)) >= 31


class TestSaturatedJob:
    def test_hides_nobody_behind_it_however_many_of_its_runs_are_first(self, crowd: Crowd) -> None:
        here = crowd.organization()
        crowd.ready_at_once(crowd.job(here, concurrency=1), 6_000)
        crowd.clock.advance(seconds=1)
        behind = crowd.ready(crowd.job(here), 2)

        called = crowd.dispatch()

        assert set(called) > set(behind)
        assert len(called) == 3

    def test_goes_on_from_where_it_stands_aside(self, crowd: Crowd) -> None:
        crowd.ready(crowd.job(concurrency=1), 6)
        order = []

        for _ in range(6):
            crowd.dispatch()
            order.append(crowd.take_hint())
            crowd.end(order[-1])

        assert len(set(order)) == 6
        assert crowd.count(Run.aside_at.is_not(None)) == 5

    def test_that_has_its_limit_lifted_is_done_as_any_other(self, crowd: Crowd) -> None:
        job_id = crowd.job(concurrency=1)
        crowd.ready(job_id, 6)
        crowd.dispatch()

        with crowd.database.transaction() as session:
            session.get_one(Job, job_id).concurrency = None

        assert len(crowd.dispatch()) == 5


class TestHintThatWasTakenBack:
    def test_starts_nothing(self, crowd: Crowd) -> None:
        (run_id,) = crowd.ready(crowd.job())
        crowd.dispatch()
        with crowd.database.transaction() as session:
            session.execute(update(Run).values(hinted_at=None))

        assert not crowd.begin(run_id)

    def test_is_given_again_and_then_starts_it(self, crowd: Crowd) -> None:
        (run_id,) = crowd.ready(crowd.job())
        crowd.dispatch()
        crowd.pocket.sent.clear()
        crowd.clock.moment += STALE_AFTER * 2

        called = crowd.dispatch()

        assert called == [run_id]
        assert crowd.begin(run_id)

    def test_by_a_worker_that_died_is_given_again_while_others_lie_there(self, crowd: Crowd) -> None:
        runs = crowd.ready(crowd.job(), 20)
        crowd.dispatch()
        lost = crowd.pocket.sent.pop(0).run_id
        crowd.clock.moment += STALE_AFTER * 2

        called = crowd.dispatch()

        assert called == [lost]
        assert [one.run_id for one in crowd.pocket.sent] == [*runs[1:8], lost]

    def test_by_a_worker_that_died_is_given_again_also_while_the_others_are_new(self, crowd: Crowd) -> None:
        crowd.ready(crowd.job(), 15)
        crowd.dispatch()
        lost = crowd.pocket.sent.pop(0).run_id
        crowd.clock.moment += STALE_AFTER
        for _ in range(7):
            crowd.end(crowd.take_hint())
        newer = crowd.dispatch()
        crowd.clock.advance(seconds=1)

        called = crowd.dispatch()

        assert len(newer) == 7
        assert called == [lost]

    def test_is_waited_for_while_as_many_lie_there_as_were_called(self, crowd: Crowd) -> None:
        runs = crowd.ready(crowd.job(), 8)
        crowd.dispatch()
        crowd.clock.moment += STALE_AFTER * 2

        crowd.dispatch()

        assert [one.run_id for one in crowd.pocket.sent] == runs

    def test_of_another_queue_than_a_worker_serves_starts_nothing(self, crowd: Crowd) -> None:
        (run_id,) = crowd.ready(crowd.job())
        crowd.dispatch()

        assert not crowd.begin(run_id, taking=Taking(frozenset({"sync"}), is_called_alone=True))


class TestWorkersOfSomeQueues:
    def report(self, crowd: Crowd, *, slots: int, queues: str | None) -> None:
        facts = ProcessFacts(new_id(), "host:1", "0", slots, schedules=False, queues=queues)
        with crowd.database.transaction() as session:
            beat(session, facts, now=crowd.clock.moment, ticked_at=None, tick_ms=None)

    def test_have_as_much_called_as_their_slots_take(self, crowd: Crowd) -> None:
        self.report(crowd, slots=3, queues="sync,workflow")
        self.report(crowd, slots=1, queues="code")
        here = crowd.organization()
        crowd.limit_queue("sync", concurrency=None, rate_starts=None, rate_seconds=None)
        sync, code = crowd.ready(crowd.job(here, kind=KindName.SYNC), 20), crowd.ready(crowd.job(here), 20)
        page = crowd.another_dispatcher(1, is_worker=False)

        page.dispatch()

        called = [one.run_id for one in crowd.pocket.sent]
        assert (len({*called} & {*sync}), len({*called} & {*code})) == (6, 2)

    def test_that_went_leave_nothing_that_takes_a_place(self, crowd: Crowd) -> None:
        self.report(crowd, slots=2, queues="code")
        here = crowd.organization()
        limit_organization(crowd, here, 2)
        crowd.ready(crowd.job(here), 4)
        page = crowd.another_dispatcher(1, is_worker=False)
        page.dispatch()
        crowd.clock.moment += timedelta(minutes=1)
        self.report(crowd, slots=2, queues="sync")
        wanted = crowd.ready(crowd.job(here, kind=KindName.SYNC), 2)

        page.dispatch()

        assert [one.run_id for one in crowd.pocket.sent[2:]] == wanted


class TestFinder:
    def finder(self, crowd: Crowd, *, is_away: bool = True, queues: set[str] | None = None) -> Finder:
        return Finder(
            database=crowd.database,
            clock=crowd.clock,
            schema=SchemaGate(crowd.database, expected=newest_migration()),
            slots=Slots(5),
            served=Served(queues),
            is_broker_away=lambda: is_away,
            execute=lambda run_id: False,
            retry_in=lambda seconds: None,
        )

    def test_obeys_the_limit_of_a_queue(self, crowd: Crowd) -> None:
        crowd.limit_queue("code", concurrency=2)
        crowd.ready(crowd.job(), 5)
        found = self.finder(crowd).find(5)
        for run_id in found:
            assert crowd.begin(run_id)

        assert (len(found), self.finder(crowd).find(5)) == (2, [])

    def test_obeys_a_rate_and_a_pause(self, crowd: Crowd) -> None:
        crowd.limit_queue("sync", concurrency=None, rate_starts=1, rate_seconds=60)
        here = crowd.organization()
        crowd.ready(crowd.job(here, kind=KindName.SYNC), 3)
        crowd.ready(crowd.job(here), 3)
        with crowd.database.transaction() as session:
            session.add(QueueSwitch(name="code", paused_at=crowd.clock.moment, paused_by="ana"))

        assert len(self.finder(crowd).find(5)) == 1

    def test_finds_what_stands_behind_a_job_at_its_limit(self, crowd: Crowd) -> None:
        here = crowd.organization()
        crowd.ready_at_once(crowd.job(here, concurrency=1), 20)
        crowd.clock.advance(seconds=1)
        behind = crowd.ready(crowd.job(here), 2)

        found = self.finder(crowd).find(5)

        assert set(found) > set(behind)
        assert len(found) == 3

    def test_goes_by_priority(self, crowd: Crowd) -> None:
        here = crowd.organization()
        crowd.ready(crowd.job(here), 3)
        urgent = crowd.ready(crowd.job(here, priority=Priority.HIGH))

        assert self.finder(crowd).find(1) == urgent

    def test_finds_only_what_its_worker_serves(self, crowd: Crowd) -> None:
        here = crowd.organization()
        crowd.ready(crowd.job(here), 2)
        sync = crowd.ready(crowd.job(here, kind=KindName.SYNC))

        assert self.finder(crowd, queues={"sync"}).find(5) == sync

    def test_counts_those_that_were_called_and_follows_them(self, crowd: Crowd) -> None:
        crowd.limit_queue("code", concurrency=1)
        crowd.ready(crowd.job(), 3)
        called = crowd.dispatch()
        crowd.clock.moment += OVERLOOKED_AFTER

        assert self.finder(crowd, is_away=False).find(5) == called


class TestProcessThatStays:
    def test_comes_back_by_itself_when_a_rate_lets_the_next_one_start(self, crowd: Crowd) -> None:
        crowd.limit_queue("sync", concurrency=None, rate_starts=1, rate_seconds=1)
        crowd.ready(crowd.job(kind=KindName.SYNC), 2)
        dispatcher = crowd.another_dispatcher(4, stays=True)

        first = dispatcher.dispatch()
        crowd.take_hint()
        crowd.clock.advance(seconds=1.1)

        assert first == 1
        assert eventually(lambda: len(crowd.pocket.sent) == 1)
        dispatcher.close()

    def test_comes_back_by_itself_when_hints_are_followed_late(self, crowd: Crowd) -> None:
        crowd.limit_queue("sync", concurrency=None, rate_starts=1, rate_seconds=1)
        crowd.ready(crowd.job(kind=KindName.SYNC), 2)
        dispatcher = crowd.another_dispatcher(4, stays=True)
        dispatcher.dispatch()
        crowd.clock.advance(seconds=5)
        dispatcher.dispatch()

        crowd.take_hint()

        assert eventually(lambda: len(crowd.pocket.sent) == 1)
        dispatcher.close()

    def test_comes_back_by_itself_when_the_next_try_of_a_run_may_start(self, crowd: Crowd) -> None:
        (run_id,) = crowd.ready(crowd.job())
        with crowd.database.transaction() as session:
            later = crowd.clock.moment + timedelta(seconds=1)
            session.execute(update(Run).values(state=RunState.WAITING_RETRY.value, ready_at=later))
        dispatcher = crowd.another_dispatcher(4, stays=True)

        first = dispatcher.dispatch()
        crowd.clock.advance(seconds=1.1)

        assert first == 0
        assert eventually(lambda: [one.run_id for one in crowd.pocket.sent] == [run_id])
        dispatcher.close()
