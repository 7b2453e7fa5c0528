"""Which days a sync still has to read."""

from datetime import date, timedelta

from app.jobs.kinds.sync.windows import left_to_read
from app.syncs.days import DayRange

FIRST = date(2026, 11, 1)


def days(first: int, last: int) -> DayRange:
    return DayRange(FIRST + timedelta(days=first), FIRST + timedelta(days=last))


def test_are_all_of_a_run_that_has_landed_nothing() -> None:
    assert left_to_read([days(0, 27), days(28, 30)], []) == [days(0, 30)]


def test_are_those_behind_what_it_has_landed() -> None:
    assert left_to_read([days(0, 27), days(28, 30)], [days(-28, -1), days(0, 14), days(15, 28)]) == [days(29, 30)]


def test_are_none_when_all_has_landed() -> None:
    assert left_to_read([days(0, 27), days(28, 30)], [days(0, 30)]) == []


def test_are_read_again_behind_a_hole() -> None:
    assert left_to_read([days(0, 9)], [days(2, 9)]) == [days(0, 9)]
