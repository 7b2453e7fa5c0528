"""A Redis and a PostgreSQL that fail, under work that goes on."""

import pytest

from app.core.deadline import boot_seconds
from tests.faults.processes.conftest import SERVED, MakePlace
from tests.faults.scale import PATIENCE_SECONDS, Report, scaled
from tests.faults.servers import PostgresServer
from tests.queue.redis_server import RedisServer

pytestmark = pytest.mark.slow


@pytest.fixture
def parts() -> str:
    """An embedded installation has neither of the two."""
    return SERVED


class TestServersInTrouble:
    def test_a_redis_that_is_flushed_and_goes_away_loses_nothing(
        self, make_place: MakePlace, redis_server: RedisServer, report: Report
    ) -> None:
        runs, flush_seconds, away_seconds = scaled(80, 1_000), scaled(2, 5), scaled(10, 60)
        place = make_place()
        place.make_due(runs, place.make_jobs(0.1, 0.5))
        for _ in range(2):
            place.crew.start("worker")
        next_flush = 0.0

        def flush_now_and_then() -> bool:
            nonlocal next_flush
            if boot_seconds() >= next_flush:
                with redis_server.client as client:
                    client.flushall()
                next_flush = boot_seconds() + flush_seconds
            return place.finished > runs / 2

        place.tend_until(flush_now_and_then, seconds=PATIENCE_SECONDS)
        redis_server.stop()
        before, back_at = place.journal.starts.total(), boot_seconds() + away_seconds
        place.tend_until(lambda: boot_seconds() >= back_at, seconds=PATIENCE_SECONDS)
        meanwhile = place.journal.starts.total() - before
        redis_server.start()
        verdict = place.judge(seconds=PATIENCE_SECONDS)

        report.add(f"FLUSHALL every {flush_seconds} s, then Redis away for {away_seconds} s", SERVED, verdict)
        assert verdict.faults == {}, verdict.findings
        assert (verdict.runs, meanwhile > 0, place.crew.ended_by_themselves) == (runs, True, 0)

    def test_a_postgresql_that_restarts_without_warning_loses_nothing(
        self, make_place: MakePlace, postgres_server: PostgresServer, report: Report
    ) -> None:
        restarts, runs = scaled(4, 20), scaled(80, 2_000)
        place = make_place()
        place.make_due(runs, place.make_jobs(0.2, 0.8))
        for _ in range(2):
            place.crew.start("worker")
        for number in range(restarts):
            part = runs * number / (restarts + 1)
            place.tend_until(lambda part=part: place.finished > part, seconds=PATIENCE_SECONDS)  # type: ignore[misc]
            postgres_server.restart_immediately()

        place.tend_until(lambda: place.planned > 0, seconds=PATIENCE_SECONDS)
        verdict = place.judge(seconds=PATIENCE_SECONDS)

        report.add(f"immediate restarts of PostgreSQL, {restarts} of them", SERVED, verdict)
        assert verdict.faults == {}, verdict.findings
        assert (verdict.runs, place.crew.ended_by_themselves) == (runs, 0)
