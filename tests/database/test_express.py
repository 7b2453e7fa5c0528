"""The ledger by its short way writes what the long one writes, and several runs at once are each their own."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.core.db import Base
from app.core.ids import new_id
from app.core.scopes import ENGINE
from app.events.models import Event
from app.runs import ledger
from app.runs.claims import LeaseTerms, take
from app.runs.express import _FORGET_HINTS, Express, GoodEnd
from app.runs.facts import AttemptEnd
from app.runs.models import Attempt, Run
from app.runs.queue_models import QueueSwitch
from app.runs.states import AttemptState
from tests.factories.work import load_run, make_job, make_organization, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

TERMS = LeaseTerms.for_lease(30)
WELL = AttemptEnd(AttemptState.SUCCEEDED, result={"rows": 3, "text": "a\x00b 'c'"})
OWN = {"id", "run_id", "subject_id", "organization_id", "job_id", "definition"}


@pytest.fixture
def engine() -> str:
    """SQLite has no such way."""
    return "postgresql"


@pytest.fixture
def express(database: OpenDatabase, clock: ManualClock) -> Express:
    assert database.lane is not None
    return Express(database.lane, clock=clock, worker="w-1", lease_seconds=TERMS.seconds)


def ready_run(database: OpenDatabase, clock: ManualClock) -> UUID:
    """One run of an organization of its own."""
    with database.transaction() as session:
        return make_run(session, make_job(session, make_organization(session)), now=clock.moment)


def books_of(database: OpenDatabase, run_id: UUID) -> list[dict[str, Any]]:
    """Everything that was written of a run, but for what is different with every run."""
    with database.reading() as session:
        rows = [load_run(session, run_id)]
        rows += session.scalars(select(Attempt).where(Attempt.run_id == run_id))
        rows += session.scalars(select(Event).where(Event.subject_id == run_id).order_by(Event.id))
        return [{name: getattr(row, name) for name in columns_of(row) if name not in OWN} for row in rows]


def columns_of(row: Base) -> list[str]:
    return [column.name for column in row.__table__.columns]


def live_the_long_way(database: OpenDatabase, clock: ManualClock, run_id: UUID) -> None:
    with database.transaction() as session:
        claim = take(session, run_id=run_id, worker="w-1", terms=TERMS, safe_until=TERMS.safe_until(), now=clock.moment)
        assert claim is not None
        ledger.succeed(session, run_id=run_id, token=claim.started.token, end=WELL, now=clock.moment)


class TestOneRun:
    def test_leaves_the_same_books_as_by_the_long_way(
        self, database: OpenDatabase, clock: ManualClock, express: Express
    ) -> None:
        short, long = ready_run(database, clock), ready_run(database, clock)
        started = express.start(short)
        assert started is not None

        was_written = express.succeed(started, WELL)
        live_the_long_way(database, clock, long)

        assert was_written
        assert books_of(database, short) == books_of(database, long)

    def test_is_had_once(self, database: OpenDatabase, clock: ManualClock, express: Express) -> None:
        run_id = ready_run(database, clock)

        first, second, unknown = express.start(run_id), express.start(run_id), express.start(new_id())

        assert first is not None
        assert (first.token, second, unknown) == (1, None, None)

    def test_that_is_not_had_is_looked_up_by_its_id_and_not_among_all_that_are_ready(
        self, database: OpenDatabase
    ) -> None:
        assert database.lane is not None
        values = {"run_ids": [new_id()]}
        database.lane.ask((ENGINE, _FORGET_HINTS, values))
        track = database.lane._take()

        with track.connection.transaction():
            track.connection.execute(database.lane._take_on(ENGINE))
            plan = track.connection.execute(b"EXPLAIN " + _FORGET_HINTS.execute(values, track._adapter)).fetchall()
        track.close()

        assert any("pk_runs" in line for (line,) in plan)

    def test_of_a_paused_queue_is_not_had_and_can_be_hinted_at_again(
        self, database: OpenDatabase, clock: ManualClock, express: Express
    ) -> None:
        run_id = ready_run(database, clock)
        with database.transaction() as session:
            session.add(QueueSwitch(name="code", paused_at=clock.moment, paused_by="ana"))
            session.execute(text("UPDATE runs SET hinted_at = ready_at"))

        started = express.start(run_id)

        with database.reading() as session:
            assert (started, load_run(session, run_id).hinted_at) == (None, None)

    def test_that_another_worker_has_taken_over_is_not_written(
        self, database: OpenDatabase, clock: ManualClock, express: Express
    ) -> None:
        started = express.start(ready_run(database, clock))
        assert started is not None
        with database.transaction() as session:
            session.execute(text("UPDATE runs SET token = 2"))

        assert not express.succeed(started, WELL)
        assert [row["state"] for row in books_of(database, started.run_id)[:2]] == ["running", "running"]


class TestManyRuns:
    def test_at_once_are_each_started_and_ended_once(
        self, database: OpenDatabase, clock: ManualClock, express: Express
    ) -> None:
        run_ids = [ready_run(database, clock) for _ in range(30)]

        with ThreadPoolExecutor(8) as threads:
            started = [one for one in threads.map(express.start, run_ids * 2) if one is not None]
            ended = list(threads.map(lambda one: express.succeed(one, WELL), started))

        assert sorted(one.run_id for one in started) == sorted(run_ids)
        assert ended == [True] * 30
        assert succeeded(database) == 30

    def test_are_started_beside_one_that_cannot_be_read(
        self, database: OpenDatabase, clock: ManualClock, express: Express
    ) -> None:
        good, bad = ready_run(database, clock), ready_run(database, clock)
        more_digits_than_python_reads = f'{{"rows": {"9" * 5_000}}}'
        with database.transaction() as session:
            words = text("UPDATE runs SET definition = CAST(:definition AS json) WHERE id = :id")
            session.execute(words, {"definition": more_digits_than_python_reads, "id": bad})

        rows = express.ask_all([good, bad])

        assert [row.id for row in rows] == [good, bad]

    def test_that_fenced_off_runs_are_among_are_written_all_the_same(
        self, database: OpenDatabase, clock: ManualClock, express: Express
    ) -> None:
        kept, lost = express.start(ready_run(database, clock)), express.start(ready_run(database, clock))
        assert kept is not None
        assert lost is not None
        with database.transaction() as session:
            session.execute(text("UPDATE runs SET token = 2 WHERE id = :id"), {"id": lost.run_id})

        written = express.ask_all([GoodEnd(lost, "{}"), GoodEnd(kept, "{}")])

        assert written == [False, True]

    def test_begin_in_the_transaction_in_which_others_end(
        self, database: OpenDatabase, clock: ManualClock, express: Express
    ) -> None:
        over = express.start(ready_run(database, clock))
        assert over is not None
        following = ready_run(database, clock)

        was_written, row = express.ask_all([GoodEnd(over, "{}"), following])

        assert was_written
        assert row.id == following


def succeeded(database: OpenDatabase) -> int:
    with database.reading() as session:
        return len(session.scalars(select(Run.id).where(Run.state == "succeeded")).all())
