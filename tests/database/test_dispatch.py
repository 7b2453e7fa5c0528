"""Handing hints to the workers: a few more than slots, lost ones again, and the line stays in the database."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.config import Settings
from app.core.db import Database
from app.queue.broker import BrokerAway, Hints, make_huey
from app.queue.dispatch import STALE_AFTER, Dispatcher
from app.queue.tasks import make_hints
from app.runs import ledger
from app.runs.claims import LeaseTerms, take
from app.runs.ledger import AttemptEnd
from app.runs.models import Run
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState
from tests.factories.work import make_job, make_organization, make_run
from tests.fakes.clock import ManualClock


class BrokenHints(Hints):
    """A broker that takes nothing."""

    def __init__(self) -> None:
        """Needs no carrier."""

    def send(self, run_ids: list[UUID]) -> None:
        raise BrokerAway("The broker does not answer.")

    def waiting(self) -> int:
        raise BrokerAway("The broker does not answer.")


@pytest.fixture
def hints(settings: Settings) -> Hints:
    return make_hints(make_huey(settings))


def ready_runs(database: Database, clock: ManualClock, number: int) -> list[UUID]:
    with database.transaction() as session:
        job = make_job(session, make_organization(session))
        return [make_run(session, job, now=clock.moment) for _ in range(number)]


def dispatcher(database: Database, clock: ManualClock, hints: Hints, slots: int = 2) -> Dispatcher:
    return Dispatcher(database, clock, hints, slots)


class TestDispatch:
    def test_hints_at_twice_as_many_runs_as_there_are_slots(
        self, database: Database, clock: ManualClock, hints: Hints
    ) -> None:
        ready_runs(database, clock, 10)

        sent = dispatcher(database, clock, hints).dispatch()

        assert (sent, hints.waiting()) == (4, 4)

    def test_hints_at_no_run_twice(self, database: Database, clock: ManualClock, hints: Hints) -> None:
        ready_runs(database, clock, 3)
        hand = dispatcher(database, clock, hints)

        assert [hand.dispatch(), hand.dispatch()] == [3, 0]

    def test_goes_on_as_soon_as_a_run_is_claimed(self, database: Database, clock: ManualClock, hints: Hints) -> None:
        ids = ready_runs(database, clock, 5)
        hand = dispatcher(database, clock, hints)
        hand.dispatch()
        with database.transaction() as session:
            take(session, run_id=ids[0], worker="w-1", terms=LeaseTerms.for_lease(30), now=clock.moment)

        assert hand.dispatch() == 1

    def test_gives_a_hint_again_that_was_lost(
        self, database: Database, clock: ManualClock, hints: Hints, settings: Settings
    ) -> None:
        ready_runs(database, clock, 1)
        hand = dispatcher(database, clock, hints)
        hand.dispatch()
        make_huey(settings).flush()

        clock.moment += STALE_AFTER + timedelta(seconds=1)

        assert hand.dispatch() == 1

    def test_does_not_repeat_hints_that_only_wait(self, database: Database, clock: ManualClock, hints: Hints) -> None:
        ready_runs(database, clock, 1)
        hand = dispatcher(database, clock, hints)
        hand.dispatch()

        clock.moment += STALE_AFTER * 10

        assert hand.dispatch() == 0

    def test_lets_a_retry_start_when_its_time_has_come(
        self, database: Database, clock: ManualClock, hints: Hints
    ) -> None:
        (run_id,) = ready_runs(database, clock, 1)
        later = clock.moment + timedelta(seconds=5)
        with database.transaction() as session:
            claim = take(session, run_id=run_id, worker="w", terms=LeaseTerms.for_lease(30), now=clock.moment)
            assert claim is not None
            end = AttemptEnd(AttemptState.FAILED)
            then = Next(RunState.WAITING_RETRY, Reason.ERROR, later)
            ledger.put_down(session, run_id=run_id, token=1, end=end, then=then, now=clock.moment)
        hand = dispatcher(database, clock, hints)
        early = hand.dispatch()

        clock.moment = later

        assert (early, hand.dispatch()) == (0, 1)

    def test_wakes_a_retry_also_with_the_broker_away(self, database: Database, clock: ManualClock) -> None:
        (run_id,) = ready_runs(database, clock, 1)
        with database.transaction() as session:
            take(session, run_id=run_id, worker="w", terms=LeaseTerms.for_lease(30), now=clock.moment)
            end, then = AttemptEnd(AttemptState.FAILED), Next(RunState.WAITING_RETRY, Reason.ERROR, clock.moment)
            ledger.put_down(session, run_id=run_id, token=1, end=end, then=then, now=clock.moment)

        dispatcher(database, clock, BrokenHints()).dispatch()

        with database.reading() as session:
            assert session.scalar(select(Run.state).where(Run.id == run_id)) == "ready"

    def test_with_the_broker_away_fails_nobody_and_is_made_up_later(
        self, database: Database, clock: ManualClock, hints: Hints
    ) -> None:
        (run_id,) = ready_runs(database, clock, 1)
        away = dispatcher(database, clock, BrokenHints()).dispatch()
        clock.moment += STALE_AFTER + timedelta(seconds=1)

        again = dispatcher(database, clock, hints).dispatch()

        assert (away, again) == (0, 1)
        with database.reading() as session:
            assert session.scalar(select(Run.state).where(Run.id == run_id)) == "ready"
