"""Workers at work: several on one database, hints and finder side by side, and whatever lies on the queue."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from app.core.clock import DatabaseClock
from app.core.config import Settings
from app.jobs.kinds.base import KindName
from app.queue.broker import Carrier
from app.runs.models import Attempt, Run, in_state
from app.runs.states import RunState
from tests.factories.work import make_job, make_organization, make_run
from tests.fakes.database import OpenDatabase
from tests.queue.crew import Crew, GatedKind, eventually

HireCrew = Callable[..., Crew]


@pytest.fixture
def kind() -> GatedKind:
    return GatedKind()


@pytest.fixture
def hire(settings: Settings, database: OpenDatabase, kind: GatedKind) -> Iterator[HireCrew]:
    hired: list[Crew] = []

    def hire_one(name: str, *, slots: int, queues: set[str] | None = None) -> Crew:
        hired.append(Crew(settings, kind, name=name, slots=slots, queues=queues))
        return hired[-1]

    yield hire_one
    kind.gate.set()
    for crew in hired:
        crew.stop()


def ready_runs(database: OpenDatabase, number: int) -> list[UUID]:
    with database.transaction() as session:
        now = DatabaseClock().now(session)
        job = make_job(session, make_organization(session))
        return [make_run(session, job, now=now) for _ in range(number)]


def count(database: OpenDatabase, state: RunState) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Run).where(in_state(state))) or 0


def workers_of(database: OpenDatabase) -> Counter[str]:
    with database.reading() as session:
        return Counter(session.scalars(select(Attempt.worker)))


class TestTwoWorkers:
    def test_share_the_work_and_run_nothing_twice(
        self, database: OpenDatabase, hire: HireCrew, kind: GatedKind
    ) -> None:
        crews = [hire("w-1", slots=3), hire("w-2", slots=3)]
        kind.gate.clear()
        ready_runs(database, 60)
        for crew in crews:
            crew.start_consumer()
            # Finders that believe the broker away go for every run that hints go for too.
            crew.start_finder(is_broker_away=lambda: True)
        crews[0].dispatch()
        # One of them could be done with everything before the other one looks.
        assert eventually(lambda: count(database, RunState.RUNNING) == 6)
        kind.gate.set()

        assert eventually(lambda: count(database, RunState.SUCCEEDED) == 60)
        assert Counter(kind.executed).most_common(1)[0][1] == 1
        assert set(workers_of(database)) == {"w-1", "w-2"}

    def test_leave_hints_to_each_other_when_they_are_full(
        self, database: OpenDatabase, hire: HireCrew, kind: GatedKind
    ) -> None:
        full, free = hire("w-full", slots=2), hire("w-free", slots=2)
        kind.gate.clear()
        ready_runs(database, 2)
        full.start_consumer()
        full.dispatch()
        assert eventually(lambda: count(database, RunState.RUNNING) == 2)

        ready_runs(database, 2)
        full.dispatch()
        waiting = full.hints.waiting()
        free.start_consumer()

        assert eventually(lambda: count(database, RunState.RUNNING) == 4)
        assert waiting == 2
        assert workers_of(database) == {"w-full": 2, "w-free": 2}


class TestWorkersOfSomeQueues:
    def test_take_their_own_runs_alone_by_hints_and_by_finding(
        self, database: OpenDatabase, hire: HireCrew, kind: GatedKind
    ) -> None:
        codes, flows = hire("w-code", slots=2, queues={"code"}), hire("w-flow", slots=2, queues={"workflow"})
        ready_runs(database, 3)
        with database.transaction() as session:
            now = DatabaseClock().now(session)
            job = make_job(session, make_organization(session), kind=KindName.WORKFLOW)
            wanted = {make_run(session, job, now=now) for _ in range(3)}
        for crew in (codes, flows):
            crew.start_consumer()
            crew.start_finder(is_broker_away=lambda: True)

        for crew in (codes, flows):
            crew.dispatch()

        assert eventually(lambda: count(database, RunState.SUCCEEDED) == 6)
        with database.reading() as session:
            done = set(session.scalars(select(Attempt.run_id).where(Attempt.worker == "w-flow")))
        assert done == wanted


class TestSlotsOfAWorker:
    def test_are_not_exceeded_by_finder_and_hints_together(
        self, database: OpenDatabase, hire: HireCrew, kind: GatedKind
    ) -> None:
        crew = hire("w-1", slots=2)
        kind.gate.clear()
        ids = ready_runs(database, 4)
        crew.start_finder(is_broker_away=lambda: True)
        assert eventually(lambda: count(database, RunState.RUNNING) == 2)

        late = [crew.follow_hint(run_id) for run_id in ids]
        running, free = len(kind.executed), crew.slots.free
        kind.gate.set()
        for thread in late:
            thread.join(20)

        assert (running, free) == (2, 0)
        assert eventually(lambda: count(database, RunState.SUCCEEDED) == 4)
        assert Counter(kind.executed).most_common(1)[0][1] == 1

    def test_start_nothing_for_a_hint_that_comes_while_the_worker_stops(
        self, database: OpenDatabase, hire: HireCrew, kind: GatedKind
    ) -> None:
        crew = hire("w-1", slots=1)
        (run_id,) = ready_runs(database, 1)
        crew.slots.close()

        crew.follow_hint(run_id).join(5)

        assert (kind.executed, count(database, RunState.READY)) == ([], 1)


class TestWhateverLiesOnTheQueue:
    def test_executes_nothing_and_is_soon_gone(
        self,
        database: OpenDatabase,
        hire: HireCrew,
        kind: GatedKind,
        carrier: Carrier,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        crew = hire("w-1", slots=2)
        (run_id,) = ready_runs(database, 1)
        for number in range(500):
            for message in (forged_hint(uuid4()), forged_hint(run_id), b'{"name": "gone"}', b"\x80\x04%d" % number):
                carrier.storage.enqueue(message)

        crew.start_consumer()

        assert eventually(lambda: crew.hints.waiting() == 0 and count(database, RunState.SUCCEEDED) == 1)
        assert kind.executed == [str(run_id)]
        assert [record for record in caplog.records if record.levelno > 20] == []


class TestAFlushedQueue:
    def test_loses_nothing(self, database: OpenDatabase, hire: HireCrew, carrier: Carrier) -> None:
        crew = hire("w-1", slots=2)
        ready_runs(database, 4)
        crew.dispatch()
        carrier.flush()
        with database.transaction() as session:
            # As if the hints had been given, and lost, a while ago.
            long_ago = DatabaseClock().now(session).replace(year=2020)
            session.execute(update(Run).values(ready_at=long_ago, hinted_at=long_ago))

        crew.start_consumer()
        crew.dispatch()

        assert eventually(lambda: count(database, RunState.SUCCEEDED) == 4)


def forged_hint(run_id: UUID) -> bytes:
    fields = {"id": "x", "name": "app.queue.tasks.execute_run", "kwargs": {"run_id": str(run_id)}}
    return json.dumps(fields).encode()
