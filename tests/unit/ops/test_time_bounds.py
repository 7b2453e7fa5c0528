"""From when to when a list is read, on clocks that are changed."""

import pytest

from app.ops.time_bounds import BoundInvalid, is_on_some_clock, pinned_bound, read_bound, shown_bound
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


EDGES = [
    "0001-01-01", "0001-01-01T00:00", "0001-01-01T00:00+14:00", "1969-12-31T23:59Z", "9990-12-31T23:59-14:00",
    "9999-12-31", "9999-12-31T23:59", "9999-12-31T23:59:59.999999-14:00",
]  # fmt: skip


@pytest.mark.parametrize("zone", [RIGA, "America/New_York", "Pacific/Kiritimati", "UTC"])
@pytest.mark.parametrize("is_end", [False, True])
@pytest.mark.parametrize("text", EDGES)
def test_the_edges_of_the_calendar_are_refused_on_every_clock(text: str, is_end: bool, zone: str) -> None:
    with pytest.raises(BoundInvalid, match="From"):
        read_bound(text, zone=zone, name="From", is_end=is_end)


@pytest.mark.parametrize(
    ("text", "is_end", "address"),
    [
        ("2027-03-13", False, "2027-03-12T22:00Z"),
        ("2027-03-13", True, "2027-03-13T22:00Z"),
        ("2027-03-13T08:30", False, "2027-03-13T06:30Z"),
        ("2027-10-31T03:30", True, "2027-10-31T01:30Z"),
        ("2027-03-13T08:30:15.5-05:00", False, "2027-03-13T13:30:15.500000Z"),
    ],
)
def test_an_address_holds_the_instant(text: str, is_end: bool, address: str) -> None:
    assert pinned_bound(text, zone=RIGA, name="From", is_end=is_end) == address
    assert pinned_bound(address, zone="America/New_York", name="From", is_end=is_end) == address


@pytest.mark.parametrize(
    ("at", "zone", "is_end", "as_day", "shown"),
    [
        ("2027-03-12 22:00", RIGA, False, True, "2027-03-13"),
        ("2027-03-13 22:00", RIGA, True, True, "2027-03-13"),
        ("2027-03-12 22:00", "Pacific/Auckland", False, True, "2027-03-13T11:00"),
        ("2027-03-12 22:00", RIGA, False, False, "2027-03-13T00:00"),
        # The second of two alike: no time on the clock means it as a beginning.
        ("2027-10-31 01:30", RIGA, False, False, "2027-10-31T01:30Z"),
        ("2027-10-31 01:30", RIGA, True, False, "2027-10-31T03:30"),
        ("9990-12-31 23:30", RIGA, True, True, "9990-12-31T23:30Z"),
    ],
)
def test_a_field_shows_what_would_be_typed_for_it(at: str, zone: str, is_end: bool, as_day: bool, shown: str) -> None:
    assert shown_bound(utc(at), zone=zone, is_end=is_end, as_day=as_day) == shown
    assert read_bound(shown, zone=zone, name="From", is_end=is_end) == utc(at)


def test_only_what_has_no_offset_depends_on_a_clock() -> None:
    texts = ["2027-03-13", "2027-03-13T08:30", "2027-03-13T08:30Z", "2027-03-13T08:30+02:00", "yesterday", ""]

    assert [is_on_some_clock(text) for text in texts] == [True, True, False, False, False, False]
