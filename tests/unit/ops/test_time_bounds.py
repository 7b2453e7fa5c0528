"""From when to when a list is read, on clocks that are changed."""

import pytest

from app.ops.time_bounds import BoundInvalid, read_bound
from tests.fakes.clock import utc

RIGA = "Europe/Riga"  # 28 Mar 2027: 03:00 becomes 04:00; 31 Oct 2027: 04:00 becomes 03:00


@pytest.mark.parametrize(
    ("text", "is_end", "at"),
    [
        ("2027-03-13", False, "2027-03-12 22:00"),
        ("2027-03-13", True, "2027-03-13 22:00"),
        ("2027-03-13T08:30", False, "2027-03-13 06:30"),
        ("2027-03-13T08:30Z", False, "2027-03-13 08:30"),
        # Left out: the moment in which the clock jumps over it, whichever side it is on.
        ("2027-03-28T03:30", False, "2027-03-28 01:00"),
        ("2027-03-28T03:30", True, "2027-03-28 01:00"),
        # Twice: all of both.
        ("2027-10-31T03:30", False, "2027-10-31 00:30"),
        ("2027-10-31T03:30", True, "2027-10-31 01:30"),
        ("2027-10-31", True, "2027-10-31 22:00"),
    ],
)
def test_a_time_is_meant_on_the_clock_of_who_asks(text: str, is_end: bool, at: str) -> None:
    assert read_bound(text, zone=RIGA, name="From", is_end=is_end) == utc(at)


def test_a_day_without_a_midnight_begins_when_its_clock_does() -> None:
    assert read_bound("2027-03-28", zone="Asia/Beirut", name="From") == utc("2027-03-27 22:00")


@pytest.mark.parametrize("text", ["yesterday", "2027-13-01", "0001-01-01", "9999-12-31T23:59", "2027-03-13T25:00"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(BoundInvalid, match="From"):
        read_bound(text, zone=RIGA, name="From")
