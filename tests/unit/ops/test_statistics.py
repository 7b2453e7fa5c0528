"""The line about what a process did, every five minutes."""

import logging

import pytest

from app.jobs.kinds.base import OutcomeStatus
from app.ops.statistics import SAY_SECONDS, Statistics
from app.runs.tally import Tally


class Watch:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture(autouse=True)
def _hear_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


class TestStatistics:
    def test_are_said_every_five_minutes(self, watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
        statistics = Statistics(ticks=watch)
        for second in range(0, 1_000, 10):
            watch.seconds = float(second)
            statistics.say_when_due()

        assert [record.message for record in caplog.records] == ["statistics"] * 3

    def test_count_runs_and_ticks_since_the_last_line(self, watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
        tally = Tally()
        statistics = Statistics(tally, ticks=watch)
        tally.note(OutcomeStatus.SUCCEEDED, seconds=1.5)
        tally.note(OutcomeStatus.FAILED, seconds=0.5)
        tally.note_refused()
        for milliseconds in (7, 30, 2):
            statistics.note_tick(milliseconds)
        watch.seconds = SAY_SECONDS
        statistics.say_when_due()

        facts = caplog.records[0].__dict__
        assert (facts["runs_succeeded"], facts["runs_failed"], facts["runs_refused"]) == (1, 1, 1)
        assert (facts["run_seconds"], facts["scheduler_ticks"], facts["longest_tick_ms"]) == (2.0, 3, 30)

    def test_start_anew_with_each_line(self, watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
        tally = Tally()
        statistics = Statistics(tally, ticks=watch)
        tally.note(OutcomeStatus.SUCCEEDED, seconds=1)
        for line in (1, 2):
            watch.seconds = SAY_SECONDS * line
            statistics.say_when_due()

        assert [record.__dict__["runs_succeeded"] for record in caplog.records] == [1, 0]
