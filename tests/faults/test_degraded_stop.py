"""A worker that is told to stop: what can end does, the rest is handed back at no cost of a try, within its time."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.worker.ending import LATE_SECONDS
from tests.faults.degraded_worker import Site, WorkerProcess, wait_until

pytestmark = pytest.mark.slow

both_signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
def worker(site: Site) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(site.environment)
    yield worker
    worker.end()


class TestAStoppingWorker:
    @both_signals
    def test_lets_a_short_run_end(self, site: Site, worker: WorkerProcess, number: signal.Signals) -> None:
        (run_id,) = site.start_runs(1, seconds=0.8)
        wait_until(lambda: site.state_of(run_id) == "running", lambda: worker.text)

        status = worker.stop(number)

        assert (status, site.state_of(run_id)) == (0, "succeeded")
        assert site.processes() == []

    @both_signals
    def test_hands_a_long_one_back_in_time_and_refunds_its_try(
        self, site: Site, worker: WorkerProcess, number: signal.Signals
    ) -> None:
        (run_id,) = site.start_runs(1, seconds=60)
        wait_until(lambda: site.state_of(run_id) == "running", lambda: worker.text)
        began = time.monotonic()

        status = worker.stop(number)

        assert time.monotonic() - began < site.settings.stop_seconds + LATE_SECONDS
        assert (status, site.state_of(run_id), site.tries_of(run_id)) == (0, "ready", 0)
        assert site.attempts() == ["released"]

    def test_starts_nothing_more(self, site: Site, worker: WorkerProcess) -> None:
        busy = site.start_runs(3, seconds=2)
        wait_until(lambda: site.states() == {"running": 3}, lambda: worker.text)
        waiting = site.start_runs(3, seconds=0)

        worker.stop()

        assert {site.state_of(run_id) for run_id in waiting} == {"ready"}
        assert {site.state_of(run_id) for run_id in busy} <= {"succeeded", "ready"}

    def test_takes_a_second_signal_for_the_same(self, site: Site, worker: WorkerProcess) -> None:
        (run_id,) = site.start_runs(1, seconds=60)
        wait_until(lambda: site.state_of(run_id) == "running", lambda: worker.text)
        worker.process.send_signal(signal.SIGINT)
        time.sleep(0.3)

        status = worker.stop(signal.SIGINT)

        assert (status, site.state_of(run_id)) == (0, "ready")

    def test_waits_for_what_it_found_without_a_broker_as_well(self, site: Site, tmp_path: Path) -> None:
        environment = site.environment | {"BELFRY_BROKER_URL": "redis://127.0.0.1:1/0"}
        worker = WorkerProcess(environment)
        (run_id,) = site.start_runs(1, seconds=2)
        wait_until(lambda: site.state_of(run_id) == "running", lambda: worker.text)

        status = worker.stop()

        assert "broker away" in worker.text
        assert (status, site.state_of(run_id)) == (0, "succeeded")
        worker.end()
