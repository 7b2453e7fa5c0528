"""Times, durations and counts as pages print them."""

from datetime import timedelta

import pytest

from app.web.formatting import (
    absolute_time,
    calendar_day,
    count,
    duration,
    percent,
    relative_time,
    state_label,
    zoned_time,
)
from tests.fakes.clock import utc

NOW = utc("2026-11-21 02:30")


class TestRelativeTime:
    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (0, "now"), (0.9, "now"), (-12, "12 s ago"), (-59.9, "59 s ago"), (-4 * 60 - 59, "4 min ago"),
            (-3 * 3600, "3 h ago"), (-2 * 86_400, "2 d ago"), (-7 * 86_400, "7 d ago"), (-8 * 86_400, "13 Nov"),
            (180, "in 3 min"), (-400 * 86_400, "17 Oct 2025"), (11 * 3600 + 59 * 60, "in 11 h"),
        ],
    )  # fmt: skip
    def test_is_rounded_down(self, seconds: float, text: str) -> None:
        assert relative_time(NOW + timedelta(seconds=seconds), now=NOW) == text

    def test_names_the_day_of_the_viewers_zone(self) -> None:
        assert relative_time(utc("2026-11-01 02:00"), now=NOW, zone="America/New_York") == "31 Oct"


class TestAbsoluteTime:
    def test_is_on_the_zones_wall_clock(self) -> None:
        assert absolute_time(NOW, zone="Europe/Riga", now=NOW) == "Sat 21 Nov, 04:30"

    def test_adds_the_year_when_it_is_another_and_seconds_when_asked(self) -> None:
        text = absolute_time(utc("2025-01-02 03:04:05"), zone="UTC", now=NOW, seconds=True)

        assert text == "Thu 2 Jan 2025, 03:04:05"

    def test_takes_the_year_of_the_zone(self) -> None:
        assert calendar_day(utc("2027-01-01 03:00"), now=NOW, zone="America/New_York") == "31 Dec"

    def test_names_a_zone_that_is_not_the_viewers(self) -> None:
        assert zoned_time(NOW, zone="America/New_York", now=NOW) == "Fri 20 Nov, 21:30 New York"


class TestDuration:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "under 0.1 s"), (0.84, "0.8 s"), (9.99, "9.9 s"), (10, "10 s"), (21.9, "21 s"), (60, "1 min"),
            (72, "1 min 12 s"), (3600, "1 h"), (3 * 3600 + 12 * 60 + 5, "3 h 12 min"), (3605, "1 h"),
            (timedelta(days=2, hours=4), "2 d 4 h"), (-1, "under 0.1 s"),
        ],
    )  # fmt: skip
    def test_uses_two_units_at_most(self, value: float | timedelta, text: str) -> None:
        assert duration(value) == text


class TestNumbers:
    @pytest.mark.parametrize(("value", "text"), [(7, "7"), (4212, "4,212"), (99_999, "99,999"), (128_400, "128k")])
    def test_are_grouped_and_shortened(self, value: int, text: str) -> None:
        assert count(value) == text

    @pytest.mark.parametrize(
        ("part", "whole", "text"),
        [
            (4153, 4212, "98.6%"), (9999, 10_000, "99.9%"), (10, 10, "100%"), (3, 4, "3 of 4"), (0, 0, "–"),
            (0, 9, "0.0%"),
        ],
    )  # fmt: skip
    def test_reach_a_hundred_percent_only_when_nothing_failed(self, part: int, whole: int, text: str) -> None:
        assert percent(part, whole) == text


class TestStateLabel:
    @pytest.mark.parametrize(("state", "label"), [("ready", "Queued"), ("timed_out", "Timed out"), ("ok", "OK")])
    def test_is_what_a_person_reads(self, state: str, label: str) -> None:
        assert state_label(state) == label
