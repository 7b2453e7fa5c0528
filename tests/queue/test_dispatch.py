"""Handing hints to the workers: a few more than slots, lost ones again, and the line stays in the database."""

from collections.abc import Collection
from datetime import timedelta
from threading import Semaphore, Thread
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.ids import new_id
from app.jobs.kinds.base import KindName
from app.ops.capacity import live_slots
from app.ops.heartbeats import SILENT_AFTER, ProcessFacts, beat
from app.queue.broker import Carrier
from app.queue.called import Called
from app.queue.dispatch import Dispatcher
from app.queue.hints import Hints
from app.queue.link import BrokerAway
from app.queue.stale import STALE_AFTER
from app.queue.tasks import make_hints
from app.runs import ledger
from app.runs.claims import LeaseTerms, take
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.queue_models import QueueSwitch
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState
from tests.factories.work import make_job, make_organization, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.queue.crew import eventually

TERMS = LeaseTerms.for_lease(30)


class BrokenHints(Hints):
    """A broker that takes nothing."""

    def __init__(self) -> None:
        """Needs no carrier."""

    def send(self, called: list[Called]) -> None:
        raise BrokerAway("The broker does not answer.")

    def lying(self, names: Collection[str]) -> dict[str, int]:
        raise BrokerAway("The broker does not answer.")


class HintsThatBreak(BrokenHints):
    """A broker that goes away between the question and the hints."""

    def lying(self, names: Collection[str]) -> dict[str, int]:
        return dict.fromkeys(names, 0)


class SlowHints(Hints):
    """A broker that lets each question wait until the test lets it answer."""

    is_away = False

    def __init__(self) -> None:
        self.asked = Semaphore(0)
        self.answer = Semaphore(0)
        self.sent: list[UUID] = []

    def send(self, called: list[Called]) -> None:
        self.sent += [one.run_id for one in called]

    def lying(self, names: Collection[str]) -> dict[str, int]:
        self.asked.release()
        self.answer.acquire(timeout=10)
        return dict.fromkeys(names, 0)


@pytest.fixture
def hints(carrier: Carrier) -> Hints:
    return make_hints(carrier)


def ready_runs(database: OpenDatabase, clock: ManualClock, number: int) -> list[UUID]:
    with database.transaction() as session:
        job = make_job(session, make_organization(session))
        return [make_run(session, job, now=clock.moment) for _ in range(number)]


def hinted(database: OpenDatabase) -> set[UUID]:
    with database.reading() as session:
        return set(session.scalars(select(Run.id).where(Run.hinted_at.is_not(None))))


def dispatcher(database: OpenDatabase, clock: ManualClock, hints: Hints, slots: int = 2) -> Dispatcher:
    return Dispatcher(database, clock, hints, live_slots, own_slots=slots)


def worker_was_heard_of(database: OpenDatabase, clock: ManualClock, *, slots: int) -> None:
    facts = ProcessFacts(new_id(), "host:1", "0.0.0", slots, schedules=False)
    with database.transaction() as session:
        beat(session, facts, now=clock.moment, ticked_at=None, tick_ms=None)


class TestDispatch:
    def test_hints_at_twice_as_many_runs_as_there_are_slots(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        ready_runs(database, clock, 10)

        sent = dispatcher(database, clock, hints).dispatch()

        assert (sent, hints.waiting()) == (4, 4)

    def test_hints_at_no_run_twice(self, database: OpenDatabase, clock: ManualClock, hints: Hints) -> None:
        ready_runs(database, clock, 3)
        hand = dispatcher(database, clock, hints)

        assert [hand.dispatch(), hand.dispatch()] == [3, 0]

    def test_goes_on_as_soon_as_a_run_is_claimed(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        ids = ready_runs(database, clock, 5)
        hand = dispatcher(database, clock, hints)
        hand.dispatch()
        with database.transaction() as session:
            take(session, run_id=ids[0], worker="w-1", terms=TERMS, safe_until=TERMS.safe_until(), now=clock.moment)

        assert hand.dispatch() == 1

    def test_lets_organizations_take_turns_however_long_the_line_of_one_is(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        ready_runs(database, clock, 20)
        clock.advance(seconds=1)
        late = ready_runs(database, clock, 2)

        dispatcher(database, clock, hints).dispatch()

        assert hinted(database) >= set(late)
        assert len(hinted(database)) == 4

    def test_lets_those_go_first_who_have_least_in_hand(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        busy = ready_runs(database, clock, 6)
        for run_id in busy[:3]:
            with database.transaction() as session:
                take(session, run_id=run_id, worker="w-1", terms=TERMS, safe_until=TERMS.safe_until(), now=clock.moment)
        clock.advance(seconds=1)
        idle = ready_runs(database, clock, 3)

        dispatcher(database, clock, hints).dispatch()

        # Three in hand and one more make four; the other organization has three with its last.
        assert hinted(database) == {*idle, busy[3]}

    def test_passes_over_a_paused_queue_and_goes_on_with_the_others(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        ready_runs(database, clock, 5)
        with database.transaction() as session:
            session.add(QueueSwitch(name="code", paused_at=clock.moment, paused_by="ana"))
            job = make_job(session, make_organization(session), kind=KindName.WORKFLOW)
            open_run = make_run(session, job, now=clock.moment)

        sent = dispatcher(database, clock, hints).dispatch()

        assert (sent, hinted(database)) == (1, {open_run})

    def test_gives_a_hint_again_that_was_lost(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints, carrier: Carrier
    ) -> None:
        ready_runs(database, clock, 1)
        hand = dispatcher(database, clock, hints)
        hand.dispatch()
        carrier.flush()

        clock.moment += STALE_AFTER + timedelta(seconds=1)

        assert hand.dispatch() == 1

    def test_does_not_repeat_hints_that_only_wait(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        ready_runs(database, clock, 1)
        hand = dispatcher(database, clock, hints)
        hand.dispatch()

        clock.moment += STALE_AFTER * 10

        assert hand.dispatch() == 0

    def test_lets_a_retry_start_when_its_time_has_come(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        (run_id,) = ready_runs(database, clock, 1)
        later = clock.moment + timedelta(seconds=5)
        with database.transaction() as session:
            claim = take(
                session, run_id=run_id, worker="w", terms=TERMS, safe_until=TERMS.safe_until(), now=clock.moment
            )
            assert claim is not None
            end = AttemptEnd(AttemptState.FAILED)
            then = Next(RunState.WAITING_RETRY, Reason.ERROR, later)
            ledger.put_down(session, run_id=run_id, token=1, end=end, then=then, now=clock.moment)
        hand = dispatcher(database, clock, hints)
        early = hand.dispatch()

        clock.moment = later

        assert (early, hand.dispatch()) == (0, 1)

    def test_wakes_a_retry_also_with_the_broker_away(self, database: OpenDatabase, clock: ManualClock) -> None:
        (run_id,) = ready_runs(database, clock, 1)
        with database.transaction() as session:
            take(session, run_id=run_id, worker="w", terms=TERMS, safe_until=TERMS.safe_until(), now=clock.moment)
            end, then = AttemptEnd(AttemptState.FAILED), Next(RunState.WAITING_RETRY, Reason.ERROR, clock.moment)
            ledger.put_down(session, run_id=run_id, token=1, end=end, then=then, now=clock.moment)

        dispatcher(database, clock, BrokenHints()).dispatch()

        with database.reading() as session:
            assert session.scalar(select(Run.state).where(Run.id == run_id)) == "ready"

    def test_with_the_broker_away_fails_nobody_and_is_made_up_later(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        (run_id,) = ready_runs(database, clock, 1)
        away = dispatcher(database, clock, BrokenHints()).dispatch()
        clock.moment += STALE_AFTER + timedelta(seconds=1)

        again = dispatcher(database, clock, hints).dispatch()

        assert (away, again) == (0, 1)
        with database.reading() as session:
            assert session.scalar(select(Run.state).where(Run.id == run_id)) == "ready"

    def test_hints_that_could_not_be_sent_are_the_first_when_the_broker_is_back(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        ready_runs(database, clock, 1)
        away = dispatcher(database, clock, HintsThatBreak()).dispatch()

        again = dispatcher(database, clock, hints).dispatch()

        assert (away, again) == (0, 1)


class TestDispatchFromManyThreads:
    def test_is_done_by_one_and_repeated_by_one_for_all_who_came_meanwhile(
        self, database: OpenDatabase, clock: ManualClock
    ) -> None:
        hints = SlowHints()
        hand = dispatcher(database, clock, hints, slots=5)
        threads = [Thread(target=hand.dispatch) for _ in range(4)]
        threads[0].start()
        hints.asked.acquire(timeout=10)
        ids = ready_runs(database, clock, 3)

        for thread in threads[1:]:
            thread.start()
        for _ in range(2):
            hints.answer.release()
        for thread in threads:
            thread.join(10)

        assert not any(thread.is_alive() for thread in threads)
        assert sorted(hints.sent) == sorted(ids)

    def test_looks_for_lost_hints_when_one_of_those_who_came_meanwhile_wanted_it(
        self, database: OpenDatabase, clock: ManualClock
    ) -> None:
        hints = SlowHints()
        hand = dispatcher(database, clock, hints, slots=5)
        threads = [Thread(target=hand.dispatch), Thread(target=hand.dispatch, kwargs={"is_brief": True})]
        threads[0].start()
        hints.asked.acquire(timeout=10)
        threads[1].start()
        assert eventually(hand._next.locked)

        hand.dispatch()
        for _ in range(2):
            hints.answer.release()
        for thread in threads:
            thread.join(10)

        assert hints.asked.acquire(timeout=10)


class TestSlotsOfAllWorkers:
    def test_are_counted_together(self, database: OpenDatabase, clock: ManualClock, hints: Hints) -> None:
        ready_runs(database, clock, 20)
        worker_was_heard_of(database, clock, slots=2)
        worker_was_heard_of(database, clock, slots=3)

        assert dispatcher(database, clock, hints, slots=2).dispatch() == 10

    def test_of_a_silent_worker_do_not_count(self, database: OpenDatabase, clock: ManualClock, hints: Hints) -> None:
        worker_was_heard_of(database, clock, slots=3)
        clock.moment += SILENT_AFTER + timedelta(seconds=1)
        worker_was_heard_of(database, clock, slots=2)
        ready_runs(database, clock, 20)

        assert dispatcher(database, clock, hints, slots=1).dispatch() == 4

    def test_of_this_worker_count_before_it_was_heard_of(
        self, database: OpenDatabase, clock: ManualClock, hints: Hints
    ) -> None:
        ready_runs(database, clock, 20)

        assert dispatcher(database, clock, hints, slots=3).dispatch() == 6
