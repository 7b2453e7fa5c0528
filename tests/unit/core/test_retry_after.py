"""How Retry-After is read."""

from datetime import timedelta

import pytest

from app.core.retry_after import break_asked_for
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
NOON = "Tue, 05 Jan 2027 12:00:00 GMT"
HALF_PAST = "Tue, 05 Jan 2027 12:30:00 GMT"


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("said", "seconds"),
        [
            ("120", 120),
            (" 7 ", 7),
            ("0", 0),
            ("2.0", 2),
            ("1.5", 1.5),
            (HALF_PAST, 1_800),
            (NOON, 0),
            ("Mon, 04 Jan 2027 12:00:00 GMT", 0),
        ],
    )
    def test_is_read_as_seconds_and_as_a_date(self, said: str, seconds: float) -> None:
        assert break_asked_for(429, [("retry-after", said)], now=NOW) == timedelta(seconds=seconds)

    @pytest.mark.parametrize("said", ["", "soon", "-5", "1.", ".5", "²", "Tue, 99 Jan 2027 12:00:00 GMT"])
    def test_says_nothing_where_it_is_no_time(self, said: str) -> None:
        assert break_asked_for(503, [("Retry-After", said)], now=NOW) is None

    def test_goes_by_the_clock_of_the_server_that_wrote_it(self) -> None:
        headers = [("Date", HALF_PAST), ("Retry-After", "Tue, 05 Jan 2027 12:31:00 GMT")]

        assert break_asked_for(503, headers, now=NOW) == timedelta(minutes=1)

    def test_of_many_digits_is_a_long_time(self) -> None:
        found = break_asked_for(429, [("Retry-After", "9" * 400)], now=NOW)

        assert found is not None
        assert found >= timedelta(days=1)

    def test_of_other_statuses_is_no_break(self) -> None:
        assert break_asked_for(301, [("Retry-After", "120")], now=NOW) is None
