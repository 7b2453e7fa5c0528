"""Slots that nobody executed: in which hours they lie, and their marks beside those of runs."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.runs.missed_slots import spread
from app.runs.outcomes import Outcome
from app.runs.recent import RecentRun, with_missed
from app.schedules.gaps import GapRow
from app.schedules.policies import GapReason
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
HOUR = timedelta(hours=1)


def gap(first_hours_ago: int, last_hours_ago: int, slots: int) -> GapRow:
    return GapRow(NOW - first_hours_ago * HOUR, NOW - last_hours_ago * HOUR, slots, GapReason.SCHEDULER_DOWN)


def run(hours_ago: int) -> RecentRun:
    return RecentRun(UUID(int=hours_ago), Outcome.SUCCEEDED, NOW - hours_ago * HOUR, timedelta(seconds=3))


class TestHours:
    @pytest.mark.parametrize(
        ("first", "last", "slots", "found"),
        [
            (5, 5, 1, [(5, 1)]),
            (5, 5, 60, [(5, 60)]),
            (1, 4, 4, [(1, 1), (2, 1), (3, 1), (4, 1)]),
            (0, 8, 5, [(0, 1), (2, 1), (4, 1), (6, 1), (8, 1)]),
            (1, 2, 5, [(1, 2), (2, 3)]),
        ],
    )
    def test_hold_the_slots_evenly(self, first: int, last: int, slots: int, found: list[tuple[int, int]]) -> None:
        assert list(spread(first, last, slots)) == found

    @pytest.mark.parametrize("slots", [1, 2, 7, 99, 100, 101, 1_000])
    def test_hold_all_of_them(self, slots: int) -> None:
        assert sum(number for _, number in spread(7, 106, slots)) == slots


class TestMarks:
    def test_stand_between_runs_by_their_times(self) -> None:
        found = with_missed([run(9), run(1)], [gap(4, 3, 2)], most=30)

        assert [(one.outcome, (NOW - one.at) // HOUR) for one in found] == [
            (Outcome.SUCCEEDED, 9), (Outcome.MISSED, 4), (Outcome.MISSED, 3), (Outcome.SUCCEEDED, 1),
        ]  # fmt: skip

    def test_are_the_newest_of_all(self) -> None:
        found = with_missed([run(9), run(1)], [gap(400, 3, 1_000_000), gap(800, 500, 7)], most=5)

        assert [one.outcome for one in found] == [*[Outcome.MISSED] * 4, Outcome.SUCCEEDED]
