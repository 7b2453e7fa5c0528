"""Quiet hours on clocks that change."""

import pytest

from app.notifications.quiet import QuietHours
from tests.fakes.clock import utc

NIGHT = QuietHours(22 * 60, 7 * 60, "Europe/Riga")


class TestQuietHours:
    def test_lie_within_a_day(self):
        noon = QuietHours(12 * 60, 13 * 60, "UTC")

        assert noon.ends_at(utc("2027-01-05 12:00")) == utc("2027-01-05 13:00")
        assert noon.ends_at(utc("2027-01-05 13:00")) is None

    @pytest.mark.parametrize("moment", ["2027-01-05 20:00", "2027-01-05 23:59", "2027-01-06 04:59"])
    def test_go_on_over_midnight(self, moment: str):
        assert NIGHT.ends_at(utc(moment)) == utc("2027-01-06 05:00")

    def test_begin_and_end_sharply(self):
        assert NIGHT.ends_at(utc("2027-01-05 19:59:59")) is None
        assert NIGHT.ends_at(utc("2027-01-06 05:00")) is None

    def test_are_an_hour_shorter_in_the_night_that_loses_one(self):
        assert NIGHT.ends_at(utc("2027-03-27 20:00")) == utc("2027-03-28 04:00")

    def test_are_an_hour_longer_in_the_night_that_gains_one(self):
        assert NIGHT.ends_at(utc("2027-10-30 19:00")) == utc("2027-10-31 05:00")

    def test_that_end_at_a_time_the_clock_jumps_over_end_with_the_jump(self):
        early = QuietHours(22 * 60, 3 * 60 + 30, "Europe/Riga")

        assert early.ends_at(utc("2027-03-27 23:00")) == utc("2027-03-28 01:00")
        assert early.ends_at(utc("2027-03-28 01:00")) is None

    def test_that_end_at_a_time_that_comes_twice_end_the_first_time(self):
        early = QuietHours(22 * 60, 3 * 60 + 30, "Europe/Riga")

        assert early.ends_at(utc("2027-10-31 00:29")) == utc("2027-10-31 00:30")
        assert early.ends_at(utc("2027-10-31 01:15")) is None

    def test_of_a_whole_day_end_when_the_next_ones_begin(self):
        always = QuietHours(480, 480, "UTC")

        assert always.ends_at(utc("2027-01-05 12:00")) == utc("2027-01-06 08:00")
