"""When a rhythm fires: the days it names, the nights on which clocks change, and the edges of the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schedules.fire_times import ClockChange, count_fires, fire_times, last_fire, next_fire, rhythm
from app.schedules.zones import find_zone


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def moments(found: list[datetime]) -> list[str]:
    return [f"{at:%Y-%m-%d %H:%M}" for at in found]


class TestOrdinaryDays:
    def test_the_start_itself_does_not_count_and_the_end_does(self) -> None:
        hourly = rhythm("0 * * * *", timezone="UTC")

        found = fire_times(hourly, after=utc("2027-01-05 09:00"), until=utc("2027-01-05 11:00"), limit=9)

        assert found == [utc("2027-01-05 10:00"), utc("2027-01-05 11:00")]

    def test_a_moment_before_a_slot_finds_that_slot(self) -> None:
        daily = rhythm("0 9 * * *", timezone="UTC")

        assert next_fire(daily, after=utc("2027-01-05 09:00") - timedelta(microseconds=1)) == utc("2027-01-05 09:00")

    def test_the_answer_does_not_depend_on_the_zone_of_the_question(self) -> None:
        daily = rhythm("0 9 * * *", timezone="America/New_York")
        asked = utc("2027-01-05 12:00")

        found = next_fire(daily, after=asked.astimezone(find_zone("Asia/Tokyo").tzinfo))

        assert found == next_fire(daily, after=asked) == utc("2027-01-05 14:00")
        assert found.tzinfo is UTC

    @pytest.mark.parametrize(
        ("text", "days"),
        [
            ("0 0 L * *", ["2027-01-31", "2027-02-28", "2027-03-31"]),
            ("0 0 * * L5", ["2027-01-29", "2027-02-26", "2027-03-26"]),
            ("0 0 * * 5#2", ["2027-01-08", "2027-02-12", "2027-03-12"]),
            ("0 0 1W * *", ["2027-01-01", "2027-02-01", "2027-03-01"]),
            ("0 0 15W 5,8 *", ["2027-05-14", "2027-08-16", "2028-05-15"]),
            ("0 0 13 * 5", ["2027-01-01", "2027-01-08", "2027-01-13"]),
            ("0 0 */2 * 1", ["2027-01-11", "2027-01-25", "2027-02-01"]),
            ("0 0 13 * 5#1", ["2027-01-01", "2027-01-13", "2027-02-05"]),
            ("0 0 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
            ("0 0 29 2 */7", ["2032-02-29", "2060-02-29", "2088-02-29"]),
            ("0 0 31 2 1", ["2027-02-01", "2027-02-08", "2027-02-15"]),
        ],
    )
    def test_fires_on_the_days_it_names(self, text: str, days: list[str]) -> None:
        found = fire_times(rhythm(text, timezone="UTC"), after=utc("2026-12-31 12:00"), limit=3)

        assert [f"{at:%Y-%m-%d}" for at in found] == days

    def test_never_fires_by_itself_when_it_is_manual(self) -> None:
        manual = rhythm("@manually", timezone="Europe/Berlin")
        begin, end = utc("2026-01-01"), utc("2036-01-01")

        assert fire_times(manual, after=begin, limit=5) == []
        assert last_fire(manual, after=begin, until=end) is None
        assert count_fires(manual, after=begin, until=end) == 0


class TestClockChanges:
    @pytest.mark.parametrize(
        ("text", "choice", "expected"),
        [
            ("30 2 * * *", ClockChange.ONCE, ["2027-03-14 07:00", "2027-03-15 06:30"]),
            ("30 2 * * *", ClockChange.TWICE, ["2027-03-14 07:00", "2027-03-15 06:30"]),
            ("30 2 * * *", ClockChange.SKIP, ["2027-03-15 06:30", "2027-03-16 06:30"]),
            ("0,30 2-3 * * *", ClockChange.ONCE, ["2027-03-14 07:00", "2027-03-14 07:30"]),
            ("0,30 2-3 * * *", ClockChange.TWICE, ["2027-03-14 07:00", "2027-03-14 07:30"]),
            ("0,30 2-3 * * *", ClockChange.SKIP, ["2027-03-14 07:00", "2027-03-14 07:30"]),
            ("* 2 * * *", ClockChange.ONCE, ["2027-03-15 06:00", "2027-03-15 06:01"]),
        ],
    )
    def test_an_hour_that_does_not_exist(self, text: str, choice: ClockChange, expected: list[str]) -> None:
        when = rhythm(text, timezone="America/New_York", clock_change=choice)

        found = fire_times(when, after=utc("2027-03-14 05:00"), limit=2)

        assert moments(found) == expected

    @pytest.mark.parametrize(
        ("text", "choice", "expected"),
        [
            ("30 1 * * *", ClockChange.ONCE, ["2027-11-07 05:30", "2027-11-08 06:30"]),
            ("30 1 * * *", ClockChange.SKIP, ["2027-11-07 05:30", "2027-11-08 06:30"]),
            ("30 1 * * *", ClockChange.TWICE, ["2027-11-07 05:30", "2027-11-07 06:30"]),
            ("30 * * * *", ClockChange.ONCE, ["2027-11-07 04:30", "2027-11-07 05:30"]),
        ],
    )
    def test_an_hour_that_happens_twice(self, text: str, choice: ClockChange, expected: list[str]) -> None:
        when = rhythm(text, timezone="America/New_York", clock_change=choice)

        found = fire_times(when, after=utc("2027-11-07 04:00"), limit=2)

        assert moments(found) == expected

    def test_the_second_pass_is_never_answered_with_the_first(self) -> None:
        daily = rhythm("30 1 * * *", timezone="America/New_York")

        assert next_fire(daily, after=utc("2027-11-07 06:10")) == utc("2027-11-08 06:30")

    @pytest.mark.parametrize("choice", ClockChange)
    def test_a_day_that_was_left_out_has_no_runs(self, choice: ClockChange) -> None:
        daily = rhythm("0 9 * * *", timezone="Pacific/Apia", clock_change=choice)

        found = fire_times(daily, after=utc("2011-12-29 12:00"), limit=2)

        assert moments(found) == ["2011-12-29 19:00", "2011-12-30 19:00"]

    def test_a_time_that_always_falls_into_the_gap_never_comes(self) -> None:
        when = rhythm("* 2 * 3 0#2", timezone="America/New_York")

        assert next_fire(when, after=utc("2027-01-01")) is None


class TestEdgesOfTheCalendar:
    @pytest.mark.parametrize("year", [1, 2, 1900, 9997, 9998, 9999])
    def test_no_date_breaks_it(self, year: int) -> None:
        daily = rhythm("0 9 * * *", timezone="America/New_York")
        begin = datetime(year, 6, 1, tzinfo=UTC)
        end = min(begin, datetime(9999, 12, 1, tzinfo=UTC)) + timedelta(days=10)

        found = fire_times(daily, after=begin, until=end, limit=100)

        assert len(found) == count_fires(daily, after=begin, until=end)
        assert (found[-1] if found else None) == last_fire(daily, after=begin, until=end)

    def test_an_interval_that_ends_before_it_begins_is_empty(self) -> None:
        hourly = rhythm("0 * * * *", timezone="UTC")
        begin, end = utc("2027-06-01"), utc("2025-06-01")

        assert fire_times(hourly, after=begin, until=end, limit=5) == []
        assert count_fires(hourly, after=begin, until=end) == 0
        assert last_fire(hourly, after=begin, until=end) is None


FIELD_TEXTS = (
    st.sampled_from(["*", "*/5", "*/7", "0", "30", "0,59", "10-20", "H", "59/15", "0-59"]),
    st.sampled_from(["*", "*/3", "*/5", "0", "1", "2", "1-3", "23", "0-23", "2,3", "H(0-3)"]),
    st.sampled_from(["*", "*", "*", "1", "L", "15W", "31", "*/2", "1,15,L"]),
    st.sampled_from(["*", "*", "*", "3", "MAR,NOV", "2,3", "*/3"]),
    st.sampled_from(["*", "*", "*", "1-5", "SUN", "L5", "5#2", "*/2", "6-7"]),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    fields=st.tuples(*FIELD_TEXTS),
    name=st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Africa/Cairo"]),
    choice=st.sampled_from(ClockChange),
    start=st.integers(0, 5 * 365 * 24 * 3600),
    days=st.integers(0, 500),
)
def test_counting_and_the_last_one_agree_with_the_list(
    fields: tuple[str, ...], name: str, choice: ClockChange, start: int, days: int
) -> None:
    when = rhythm(" ".join(fields), timezone=name, spread_key="k", clock_change=choice)
    begin = utc("2024-01-01") + timedelta(seconds=start)
    # A dense rhythm is listed over a shorter stretch: listing is the slow side here.
    end = begin + timedelta(days=days if len(when.cron.minutes) * len(when.cron.hours) < 50 else days / 25)

    found = fire_times(when, after=begin, until=end, limit=10**6)

    assert found == sorted(set(found))
    assert count_fires(when, after=begin, until=end) == len(found)
    assert last_fire(when, after=begin, until=end) == (found[-1] if found else None)
    assert not found or next_fire(when, after=begin) == found[0]


def test_a_year_of_minutes_is_counted_and_not_listed() -> None:
    minutely = rhythm("* * * * *", timezone="America/New_York")

    found = count_fires(minutely, after=utc("2027-01-01"), until=utc("2028-01-01"))

    assert found == 365 * 24 * 60
