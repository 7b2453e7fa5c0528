"""Whether a clock was set: judged by seconds that nobody can set."""

from datetime import datetime, timedelta

import pytest

from app.core.clock_watch import ClockWatch
from tests.fakes.clock import utc

NOON = utc("2027-01-05 12:00")
HOLD = 30


class Elapsed:
    """Seconds since the machine was started, as a test says."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def watch(elapsed: Elapsed) -> ClockWatch:
    return ClockWatch(hold_seconds=HOLD, elapsed=elapsed)


def look(watch: ClockWatch, at: datetime) -> bool:
    watch.look(lambda: at)
    return watch.is_held


def test_a_clock_that_goes_on_as_time_does_holds_nothing(watch: ClockWatch, elapsed: Elapsed) -> None:
    look(watch, NOON)
    elapsed.seconds += 7_200

    assert look(watch, NOON + timedelta(hours=2)) is False
    assert watch.step is None


@pytest.mark.parametrize("seconds", [-4, -2, 2, 4])
def test_a_clock_that_is_corrected_by_a_little_holds_nothing(watch: ClockWatch, elapsed: Elapsed, seconds: int) -> None:
    look(watch, NOON)
    elapsed.seconds += 10

    assert look(watch, NOON + timedelta(seconds=10 + seconds)) is False


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_step_holds_for_one_lease_and_is_told_once(watch: ClockWatch, elapsed: Elapsed, hours: int) -> None:
    look(watch, NOON)
    stepped = NOON + timedelta(hours=hours)

    held = [look(watch, stepped)]
    for seconds in (HOLD - 1, 1):
        elapsed.seconds += seconds
        stepped += timedelta(seconds=seconds)
        held.append(look(watch, stepped))

    told = [watch.take_untold(), watch.take_untold()]
    assert held == [True, True, False]
    assert [step and step.seconds for step in told] == [hours * 3600, None]


def test_a_second_step_holds_for_a_lease_of_its_own(watch: ClockWatch, elapsed: Elapsed) -> None:
    look(watch, NOON)
    look(watch, NOON + timedelta(hours=1))
    elapsed.seconds += HOLD - 1

    look(watch, NOON + timedelta(seconds=HOLD - 1))
    elapsed.seconds += HOLD - 1

    assert watch.is_held
    assert watch.step is not None
    assert watch.step.is_back


def test_an_answer_that_took_long_is_no_step(watch: ClockWatch, elapsed: Elapsed) -> None:
    look(watch, NOON)

    def hang() -> datetime:
        elapsed.seconds += 600
        # Nobody knows when in those ten minutes the database looked at its clock.
        return NOON + timedelta(seconds=1)

    watch.look(hang)

    assert not watch.is_held


def test_what_is_done_is_forgotten_unless_the_clock_was_set_again(watch: ClockWatch, elapsed: Elapsed) -> None:
    look(watch, NOON)
    look(watch, NOON + timedelta(hours=1))
    first = watch.step
    look(watch, NOON + timedelta(hours=3))
    assert first is not None

    watch.forget(first)
    second = watch.step
    assert second is not None
    watch.forget(second)

    assert second.seconds == 7_200
    assert (watch.step, watch.is_held) == (None, False)
