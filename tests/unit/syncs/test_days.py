"""Days of an account's zone, watermarks and what is fetched next."""

from datetime import date

import pytest

from app.syncs.days import DayRange, day_of, last_whole_day, next_windows, raised
from tests.fakes.clock import utc


def on(text: str) -> date:
    return date.fromisoformat(text)


def between(first: str, last: str) -> DayRange:
    return DayRange(on(first), on(last))


class TestDayOf:
    @pytest.mark.parametrize(
        ("moment", "zone", "day"),
        [
            ("2026-11-01 03:59:59", "America/New_York", "2026-10-31"),
            ("2026-11-01 04:00", "America/New_York", "2026-11-01"),
            # The day of 25 hours: half past one comes twice, and the day ends an hour later in UTC.
            ("2026-11-01 05:30", "America/New_York", "2026-11-01"),
            ("2026-11-01 06:30", "America/New_York", "2026-11-01"),
            ("2026-11-02 04:59:59", "America/New_York", "2026-11-01"),
            ("2026-11-02 05:00", "America/New_York", "2026-11-02"),
            ("2027-03-27 22:00", "Europe/Riga", "2027-03-28"),
            ("2027-03-28 20:59:59", "Europe/Riga", "2027-03-28"),
            ("2027-03-28 21:00", "Europe/Riga", "2027-03-29"),
            ("2026-11-20 10:00", "Pacific/Kiritimati", "2026-11-21"),
        ],
    )
    def test_is_the_day_on_the_accounts_clocks(self, moment: str, zone: str, day: str):
        assert day_of(utc(moment), zone) == on(day)

    def test_the_last_whole_day_is_the_one_before(self):
        assert last_whole_day(utc("2026-11-02 04:59"), "America/New_York") == on("2026-10-31")


class TestRaised:
    FETCHED = utc("2026-11-20 05:00")

    def raise_(self, high_water: str | None, first: str, last: str) -> date | None:
        before = None if high_water is None else on(high_water)
        return raised(before, window=between(first, last), fetched_at=self.FETCHED, zone="Europe/Riga")

    def test_stops_at_the_day_before_the_fetch_however_far_the_window_goes(self):
        assert self.raise_("2026-11-18", "2026-11-17", "2026-11-20") == on("2026-11-19")

    def test_never_goes_back(self):
        assert self.raise_("2026-11-19", "2026-10-01", "2026-10-31") == on("2026-11-19")

    def test_does_not_jump_over_days_that_nobody_fetched(self):
        assert self.raise_("2026-11-10", "2026-11-12", "2026-11-19") == on("2026-11-10")
        assert self.raise_("2026-11-10", "2026-11-11", "2026-11-19") == on("2026-11-19")

    def test_begins_with_the_first_window_that_has_a_whole_day(self):
        assert self.raise_(None, "2026-10-01", "2026-10-07") == on("2026-10-07")
        assert self.raise_(None, "2026-11-20", "2026-11-20") is None


class TestNextWindows:
    TODAY = on("2026-11-20")

    def test_are_the_lookback_and_today(self):
        found = next_windows(on("2026-11-19"), today=self.TODAY, lookback_days=28, first_days=90, chunk_days=40)

        assert found == [between("2026-10-23", "2026-11-20")]

    def test_make_up_for_days_without_a_sync(self):
        found = next_windows(on("2026-11-10"), today=self.TODAY, lookback_days=3, first_days=90, chunk_days=40)

        assert found == [between("2026-11-08", "2026-11-20")]

    def test_of_a_start_come_in_chunks_without_a_hole_the_oldest_first(self):
        found = next_windows(None, today=self.TODAY, lookback_days=28, first_days=10, chunk_days=4)

        assert found == [
            between("2026-11-10", "2026-11-13"),
            between("2026-11-14", "2026-11-17"),
            between("2026-11-18", "2026-11-20"),
        ]
