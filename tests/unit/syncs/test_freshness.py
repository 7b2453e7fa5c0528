"""Fresh, at risk and stale, by the account's clocks."""

from datetime import date, datetime, timedelta

import pytest

from app.syncs.freshness import Freshness, deadline_of, standing
from tests.fakes.clock import utc

SEVEN = 7 * 60
RIGA = "Europe/Riga"
THROUGH = date(2026, 11, 18)
TEN_MINUTES = timedelta(minutes=10)


class TestDeadline:
    @pytest.mark.parametrize(
        ("day", "minute", "zone", "deadline"),
        [
            ("2026-11-18", SEVEN, RIGA, "2026-11-19 05:00"),
            ("2026-11-18", SEVEN, "America/Los_Angeles", "2026-11-19 15:00"),
            ("2026-11-18", SEVEN, "Asia/Kathmandu", "2026-11-19 01:15"),
            # The clocks go forward from three to four, so that half past three is left out.
            ("2027-03-27", 3 * 60 + 30, RIGA, "2027-03-28 01:00"),
            ("2027-03-27", SEVEN, RIGA, "2027-03-28 04:00"),
            # They go back from four to three: the first half past three counts.
            ("2026-10-24", 3 * 60 + 30, RIGA, "2026-10-25 00:30"),
            # Samoa went without the 30th of December.
            ("2011-12-29", SEVEN, "Pacific/Apia", "2011-12-30 10:00"),
        ],
    )
    def test_is_the_minute_of_the_next_day_there(self, day: str, minute: int, zone: str, deadline: str):
        assert deadline_of(date.fromisoformat(day), minute=minute, zone=zone) == utc(deadline)


def freshness(now: str, *, next_start: str | None, minute: int = SEVEN, zone: str = RIGA) -> Freshness:
    start: datetime | None = None if next_start is None else utc(next_start)
    return standing(THROUGH, minute=minute, zone=zone, now=utc(now), next_start=start, typical=TEN_MINUTES).freshness


class TestStanding:
    def test_is_fresh_while_the_next_run_will_be_in_time(self):
        assert freshness("2026-11-20 01:00", next_start="2026-11-20 04:00") is Freshness.FRESH
        assert freshness("2026-11-20 04:50", next_start="2026-11-20 04:50") is Freshness.FRESH

    def test_is_at_risk_as_soon_as_the_next_run_would_be_too_late(self):
        assert freshness("2026-11-20 04:51", next_start="2026-11-20 04:51") is Freshness.AT_RISK
        assert freshness("2026-11-19 12:00", next_start="2026-11-20 04:51") is Freshness.AT_RISK

    def test_is_at_risk_from_the_start_when_nothing_is_planned(self):
        assert freshness("2026-11-19 12:00", next_start=None) is Freshness.AT_RISK

    def test_a_run_that_goes_on_too_long_puts_it_at_risk(self):
        assert freshness("2026-11-20 04:59", next_start="2026-11-20 04:00") is Freshness.FRESH
        assert freshness("2026-11-20 05:00", next_start="2026-11-20 04:00") is Freshness.STALE

    def test_is_stale_from_the_deadline_on(self):
        assert freshness("2026-11-20 04:59:59", next_start=None) is Freshness.AT_RISK
        assert freshness("2026-11-20 05:00", next_start="2026-11-20 05:00") is Freshness.STALE

    def test_a_run_before_the_day_is_over_does_not_count_as_in_time(self):
        # The 19th ends at 22:00 UTC; whatever runs at noon, it is promised five minutes later than that.
        assert freshness("2026-11-19 12:00", next_start="2026-11-19 13:00", minute=5) is Freshness.AT_RISK
        assert freshness("2026-11-19 12:00", next_start="2026-11-19 13:00", minute=10) is Freshness.FRESH

    def test_says_so_by_the_accounts_clocks(self):
        found = standing(
            THROUGH, minute=SEVEN, zone=RIGA, now=utc("2026-11-20 06:00"), next_start=None, typical=TEN_MINUTES
        )

        assert found.words(RIGA) == "data through 2026-11-18 · promised by 07:00 · stale"
