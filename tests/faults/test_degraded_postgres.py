"""A PostgreSQL that restarts, or goes silent without a word: work goes on by itself, and the log says what was."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import literal_column, select, text
from sqlalchemy.exc import OperationalError

from app.core.db import open_database
from app.core.engines import PING_SECONDS, ServerSilent
from app.core.lane import Step
from app.core.scopes import NOBODY
from app.queue.broker import make_huey
from app.queue.tasks import make_hints
from app.worker.ending import LATE_SECONDS
from app.worker.parts import Parts
from app.worker.pools import SMALL_ANSWER_SECONDS
from tests.faults.degraded_postgres import OwnPostgres, SwallowingProxy
from tests.faults.degraded_worker import Site, WorkerProcess, wait_until

RESTARTS = 3
ONE = Step(select(literal_column("1").label("one")))
# Each loop says once that it fails, once a minute that it still does, and once that it works again.
MOST_LINES = 60
ON_AGAIN_SECONDS = 15.0
# By then the version of the tables was looked for in vain, and no loop tries anything.
SCHEMA_LOOKS = 14.0
# Who waited in vain for one of few connections says "Try again"; that something works is said in these words.
WORKS_AGAIN = re.compile(r".*(?:works|used|answers|hints) again.*")
SILENCE = "problem=The database of BELFRY_DATABASE_URL does not answer. Check that it runs"


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    server = OwnPostgres()
    yield server
    server.remove()


@pytest.fixture
def proxy(postgres: OwnPostgres) -> Iterator[SwallowingProxy]:
    proxy = SwallowingProxy(postgres.port)
    yield proxy
    proxy.close()


def settings_of(postgres: OwnPostgres, url: str) -> dict[str, str]:
    return {"BELFRY_DATABASE_URL": url, "BELFRY_DATABASE_ADMIN_URL": postgres.urls.admin}


@pytest.fixture(autouse=True)
def _database_of_the_test(postgres: OwnPostgres) -> None:
    postgres.make_database()


@pytest.fixture
def site(postgres: OwnPostgres, tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path, owner_url=postgres.urls.admin, **settings_of(postgres, postgres.urls.login))
    yield site
    site.database.dispose()


@pytest.mark.slow
class TestARestart:
    def test_of_the_database_loses_nothing_and_needs_no_restart_of_ours(
        self, site: Site, postgres: OwnPostgres
    ) -> None:
        run_ids = site.start_runs(24, seconds=0.5)
        worker = WorkerProcess(site.environment)
        for _ in range(RESTARTS):
            time.sleep(1.5)
            postgres.stop()
            time.sleep(1.0)
            postgres.start()

        wait_until(lambda: site.states() == {"succeeded": len(run_ids)}, lambda: f"{site.states()}: {worker.text}", 90)
        status = worker.stop()

        assert status == 0
        assert len(worker.said) < MOST_LINES
        assert "The database of BELFRY_DATABASE_URL" in worker.text

    def test_that_takes_a_while_is_said_once_by_each_loop(self, site: Site, postgres: OwnPostgres) -> None:
        worker = WorkerProcess(site.environment)
        wait_until(lambda: len(site.processes()) == 1, "the worker reports")
        postgres.stop()
        time.sleep(14)
        during = worker.text
        postgres.start()
        (run_id,) = site.start_runs(1, seconds=0)

        wait_until(lambda: site.state_of(run_id) == "succeeded", worker.text, ON_AGAIN_SECONDS)
        status = worker.stop()

        assert "The database does not answer. Check that it runs and that BELFRY_DATABASE_URL is right." in during
        assert (len(during.splitlines()) < 25, "database can be used again" in worker.text) == (True, True)
        # Nothing works again before it does.
        assert WORKS_AGAIN.findall(during) == []
        assert status == 0


@pytest.mark.slow
class TestAConnectionThatSwallowsEverything:
    def test_is_given_up_and_made_anew(self, postgres: OwnPostgres, site: Site, proxy: SwallowingProxy) -> None:
        environment = site.environment | settings_of(postgres, postgres.login_through(proxy.port))
        worker = WorkerProcess(environment)
        (first,) = site.start_runs(1, seconds=0)
        wait_until(lambda: site.state_of(first) == "succeeded", "a run succeeds")
        proxy.go_silent()
        (run_id,) = site.start_runs(1, seconds=0)
        wait_until(lambda: SILENCE in worker.text, lambda: worker.text, SMALL_ANSWER_SECONDS + 10)
        time.sleep(SCHEMA_LOOKS)
        during = worker.text
        proxy.heal()

        took = wait_until(lambda: site.state_of(run_id) == "succeeded", lambda: worker.text)
        status = worker.stop()

        assert (took < ON_AGAIN_SECONDS, status, WORKS_AGAIN.findall(during)) == (True, 0, [])
        assert len(worker.said) < MOST_LINES

    def test_does_not_keep_a_worker_from_ending(
        self, postgres: OwnPostgres, site: Site, proxy: SwallowingProxy
    ) -> None:
        environment = site.environment | settings_of(postgres, postgres.login_through(proxy.port))
        worker = WorkerProcess(environment)
        (run_id,) = site.start_runs(1, seconds=60)
        wait_until(lambda: site.state_of(run_id) == "running", "the run begins")
        proxy.go_silent()
        began = time.monotonic()

        worker.stop(signal.SIGTERM)

        assert time.monotonic() - began < site.settings.stop_seconds + LATE_SECONDS + 1

    def test_does_not_turn_a_second_ctrl_c_into_an_abort(
        self, postgres: OwnPostgres, site: Site, proxy: SwallowingProxy
    ) -> None:
        environment = site.environment | settings_of(postgres, postgres.login_through(proxy.port))
        worker = WorkerProcess(environment)
        wait_until(lambda: len(site.processes()) == 1, "the worker reports")
        proxy.go_silent()
        time.sleep(2)
        for _ in range(2):
            worker.process.send_signal(signal.SIGINT)
            time.sleep(1.5)
        began = time.monotonic()

        worker.stop(signal.SIGINT)

        assert time.monotonic() - began < site.settings.stop_seconds + LATE_SECONDS
        assert "Aborted" not in worker.text
        assert ("worker stopped" in worker.text) != ("stopping took too long" in worker.text)


@pytest.mark.slow
class TestAServerThatStandsStill:
    def test_is_given_up_said_and_used_again(self, postgres: OwnPostgres, site: Site) -> None:
        worker = WorkerProcess(site.environment)
        (first,) = site.start_runs(1, seconds=0)
        wait_until(lambda: site.state_of(first) == "succeeded", "a run succeeds")
        with postgres.frozen():
            wait_until(lambda: SILENCE in worker.text, lambda: worker.text, SMALL_ANSWER_SECONDS + 10)
            health = site.belfry("health")
            during = worker.text
        (run_id,) = site.start_runs(1, seconds=0)

        took = wait_until(lambda: site.state_of(run_id) == "succeeded", lambda: worker.text)
        status = worker.stop()

        assert (health.returncode, "does not answer. Check that it runs" in health.stdout + health.stderr) == (1, True)
        assert (took < ON_AGAIN_SECONDS, status, WORKS_AGAIN.findall(during)) == (True, 0, [])
        assert len(worker.said) < MOST_LINES

    def test_costs_a_run_that_goes_on_nothing_but_time(self, postgres: OwnPostgres, site: Site) -> None:
        worker = WorkerProcess(site.environment)
        (run_id,) = site.start_runs(1, seconds=2)
        wait_until(lambda: site.state_of(run_id) == "running", "the run begins")
        with postgres.frozen():
            time.sleep(3.5)

        wait_until(lambda: site.state_of(run_id) == "succeeded", lambda: worker.text, ON_AGAIN_SECONDS)
        status = worker.stop()

        assert (site.attempts(), status) == (["succeeded"], 0)


class TestAnAnswerThatDoesNotCome:
    def test_ends_the_wait_and_the_connection(self, postgres: OwnPostgres, proxy: SwallowingProxy) -> None:
        database = open_database(postgres.login_through(proxy.port), answer_seconds=1)
        with database.read.connect() as connection:
            connection.execute(text("SELECT 1"))
            proxy.go_silent()
            began = time.monotonic()

            with pytest.raises(OperationalError, match="no answer within 1 seconds") as caught:
                connection.execute(text("SELECT 2"))

        assert isinstance(caught.value.orig, ServerSilent)
        assert (time.monotonic() - began < 3, caught.value.connection_invalidated) == (True, True)
        database.dispose()

    def test_is_waited_for_by_dispatch_no_longer_than_by_the_tick(self, site: Site) -> None:
        parts = Parts.from_settings(site.settings)
        dispatcher = parts.dispatcher(make_hints(make_huey(site.settings)))

        with dispatcher.database.write.connect() as connection:
            seconds = connection.connection.driver_connection.answer_seconds
        parts.pools.dispose()

        assert seconds == SMALL_ANSWER_SECONDS

    def test_is_not_waited_for_on_a_lane_that_was_idle(
        self, postgres: OwnPostgres, proxy: SwallowingProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.core.lane.FRESH_SECONDS", 0.0)
        database = open_database(postgres.login_through(proxy.port))
        assert database.lane is not None
        database.lane.ask((NOBODY, ONE, {}))
        proxy.go_silent()
        proxy.heal()
        began = time.monotonic()

        ((row,),) = database.lane.ask((NOBODY, ONE, {}))

        assert (row.one, time.monotonic() - began < PING_SECONDS + 2) == (1, True)
        database.dispose()

    def test_leaves_the_pool_fit_for_the_next(self, postgres: OwnPostgres, proxy: SwallowingProxy) -> None:
        database = open_database(postgres.login_through(proxy.port), answer_seconds=1)
        with database.reading(NOBODY) as session:
            session.execute(text("SELECT 1"))
        proxy.go_silent()
        with pytest.raises(OperationalError), database.reading(NOBODY) as session:
            session.execute(text("SELECT 2"))
        proxy.heal()

        with database.reading(NOBODY) as session:
            found = session.scalar(text("SELECT 3"))

        assert found == 3
        database.dispose()
