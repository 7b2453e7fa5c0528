"""What a loop says of a failure that goes on."""

import logging
import sqlite3

import pytest

from app.core.troubles import Trouble

LOG = logging.getLogger("app.test")
FULL = sqlite3.OperationalError("database or disk is full")
FULL.sqlite_errorcode = sqlite3.SQLITE_FULL


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def trouble(watch: Watch) -> Trouble:
    return Trouble(LOG, "baking", ticks=watch)


class TestTrouble:
    def test_is_said_once_and_then_once_a_minute(
        self, trouble: Trouble, watch: Watch, caplog: pytest.LogCaptureFixture
    ) -> None:
        for second in range(125):
            watch.seconds = float(second)
            trouble.failed(FULL)

        said = [record.__dict__["failures"] for record in caplog.records]
        assert said == [1, 61, 121]

    def test_is_said_with_what_to_do_and_without_a_trace(
        self, trouble: Trouble, caplog: pytest.LogCaptureFixture
    ) -> None:
        trouble.failed(FULL)

        (record,) = caplog.records
        assert (record.message, record.exc_info) == ("baking failed", None)
        assert "finds no room on its disk. Make room and try again" in record.__dict__["problem"]

    def test_shows_the_trace_of_a_defect(self, trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
        with trouble.absorbing():
            raise ZeroDivisionError

        assert "ZeroDivisionError" in caplog.text
        assert "Traceback" in caplog.text

    def test_is_over_once(self, trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
        trouble.failed(FULL)
        for _ in range(3):
            with trouble.absorbing():
                pass

        assert [record.message for record in caplog.records] == ["baking failed", "baking works again"]

    def test_is_not_over_while_nothing_is_tried(self, trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
        trouble.failed(FULL)
        with trouble.absorbing() as go:
            go.was_made = False

        assert [record.message for record in caplog.records] == ["baking failed"]

    def test_that_never_was_is_not_mentioned(self, trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
        trouble.worked()

        assert caplog.records == []
