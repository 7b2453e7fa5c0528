"""Work without hints: what an idle worker finds in the database by itself."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from app.core.schema import SchemaGate, newest_migration
from app.queue.finder import OVERLOOKED_AFTER, Finder
from app.queue.served import Served
from app.queue.slots import Slots
from app.runs.models import Run
from app.runs.states import RunState
from tests.factories.work import make_job, make_organization, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


class Carrier:
    is_away = False


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def broker() -> str:
    """Whichever it is: the finder does without."""
    return "file"


@pytest.fixture
def retries() -> list[float]:
    """In how many seconds the next try may start, as the finder said with each look."""
    return []


@pytest.fixture
def finder(database: OpenDatabase, clock: ManualClock, carrier: Carrier, retries: list[float]) -> Finder:
    gate = SchemaGate(database, expected=newest_migration())
    return Finder(
        database=database,
        clock=clock,
        schema=gate,
        slots=Slots(5),
        served=Served(),
        is_broker_away=lambda: carrier.is_away,
        execute=lambda run_id: False,
        retry_in=retries.append,
    )


def ready_run(database: OpenDatabase, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return make_run(session, make_job(session, make_organization(session)), now=clock.moment)


class TestFinder:
    def test_leaves_a_run_to_its_hint_at_first(
        self, database: OpenDatabase, clock: ManualClock, finder: Finder
    ) -> None:
        ready_run(database, clock)

        assert finder.find(5) == []

    def test_finds_a_run_that_nobody_hinted_at(
        self, database: OpenDatabase, clock: ManualClock, finder: Finder
    ) -> None:
        run_id = ready_run(database, clock)

        clock.moment += OVERLOOKED_AFTER

        assert finder.find(5) == [run_id]

    def test_finds_a_run_whose_hint_went_nowhere(
        self, database: OpenDatabase, clock: ManualClock, finder: Finder
    ) -> None:
        run_id = ready_run(database, clock)
        with database.transaction() as session:
            session.execute(update(Run).values(hinted_at=clock.moment + timedelta(seconds=1)))
        clock.moment += OVERLOOKED_AFTER
        early = finder.find(5)

        clock.advance(seconds=1)

        assert (early, finder.find(5)) == ([], [run_id])

    def test_says_when_the_next_try_of_a_run_may_start_also_once_it_is_late(
        self, database: OpenDatabase, clock: ManualClock, finder: Finder, retries: list[float]
    ) -> None:
        ready_run(database, clock)
        with database.transaction() as session:
            later = clock.moment + timedelta(seconds=30)
            session.execute(update(Run).values(state=RunState.WAITING_RETRY.value, ready_at=later))

        finder.find(5)
        clock.moment += timedelta(minutes=1)
        finder.find(5)

        assert retries == [30, 0]

    def test_waits_for_no_hint_while_the_broker_is_away(
        self, database: OpenDatabase, clock: ManualClock, finder: Finder, carrier: Carrier
    ) -> None:
        run_id = ready_run(database, clock)
        with database.transaction() as session:
            session.execute(update(Run).values(hinted_at=clock.moment))

        carrier.is_away = True

        assert finder.find(5) == [run_id]
