"""What is said of runs that take longer than the time between two of them."""

from datetime import timedelta

import pytest

from app.ops.overlap_notes import overlap_note
from app.schedules.policies import Overlap
from tests.fakes.clock import utc

EVERY_FIVE = [utc("2027-01-05 12:00") + timedelta(minutes=5 * number) for number in range(5)]


@pytest.mark.parametrize(
    ("minutes", "overlap", "words"),
    [
        (7, Overlap.SKIP, "about every second run will be skipped"),
        (14, Overlap.SKIP, "about 2 of 3 runs will be skipped"),
        (7, Overlap.ALLOW, "about 2 of them go on at once"),
        (7, Overlap.CANCEL_PREVIOUS, "most are stopped by the next one before they are done"),
        (7, Overlap.QUEUE_ONE, "one waits all the time, and what comes while it waits will be skipped"),
    ],
)
def test_runs_that_meet_are_told_by_the_policy(minutes: int, overlap: Overlap, words: str) -> None:
    note = overlap_note(EVERY_FIVE, typical=timedelta(minutes=minutes), overlap=overlap)

    assert note == f"Runs take {minutes} min, every 5 min: {words}."


@pytest.mark.parametrize("typical", [None, timedelta(minutes=5)])
def test_runs_that_end_in_time_are_not_spoken_of(typical: timedelta | None) -> None:
    assert overlap_note(EVERY_FIVE, typical=typical, overlap=Overlap.SKIP) is None


def test_a_single_run_meets_none() -> None:
    assert overlap_note(EVERY_FIVE[:1], typical=timedelta(days=1), overlap=Overlap.SKIP) is None
