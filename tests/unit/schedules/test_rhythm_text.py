"""What a rhythm's text may be besides one cron line, and the words for what it may not be."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from app.schedules.cron import CronInvalid
from app.schedules.describe import describe, notes
from app.schedules.fire_times import Rhythm, fire_times, next_fire, rhythm
from app.schedules.intervals import complete_interval
from app.schedules.policy_fields import default_max_age, shortest_interval

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIVE = "\n".join(f"{minute} 9 * * *" for minute in range(5))
TEN = "\n".join(f"at 2027-01-{day:02} 09:00" for day in range(1, 11))

MESSAGES = {
    # several lines
    "0 9 * * *\n60 * * * *": "Line 2: Minute 60 does not exist. Use 0 to 59.",
    "0 9 * *\n\n0 9 * * *": "Line 1: A cron line has 5 fields: minute hour day month weekday. This has 4.",
    "0 9 * * *\n\n0 25 * * *": "Line 3: Hour 25 does not exist. Use 0 to 23.",
    f"{FIVE}\n5 9 * * *": "A schedule has at most 5 cron lines. This has 6.",
    "0 9 * * *\n@manually": "Line 2: @manually stands alone. Remove it, or the other lines.",
    "0 9 * * *\nevery 2 hours from 2027-01-01 08:00": (
        "Cron lines, intervals and single times do not mix. Make a schedule for each kind."
    ),
    "0 9 * * *\n" + "0" * 101: "Line 2: A cron line has at most 100 characters. This has 101.",
    "0 9 * * *\n" * 60: "All lines together have at most 500 characters. Shorten the text.",
    "1\n" * 60: "These are too many lines. Use at most 5 cron lines, or 10 times.",
    # intervals
    "every 90 minutes from 08:00": (
        "Say from when “every 90 minutes from 08:00” counts, with date and time. "
        "Write it as: every 90 minutes from 2027-01-31 08:00."
    ),
    "every 0 minutes from 2027-01-31 08:00": (
        "An interval is at least one minute long. Write every 1 minute, or more."
    ),
    "every 9999999 weeks from 2027-01-31 08:00": "An interval is at most five years long. Use a smaller number.",
    "every 30 seconds from 2027-01-31 08:00": (
        "An interval is at least one minute long. For seconds, use a cron line with six fields."
    ),
    "every tuesday": (
        "“every tuesday” cannot be read as an interval. Write it as: every 90 minutes from 2027-01-31 08:00."
    ),
    "every 2 hours from 2027-02-30 08:00": (
        "There is no date 2027-02-30. Write it as year-month-day, such as 2027-01-31."
    ),
    "every 2 hours from 2027-01-31 24:00": "There is no time 24:00. Use 00:00 to 23:59.",
    "every 2 hours from 1999-01-31 08:00": "1999-01-31 is out of reach. Use the years 2000 to 2199.",
    "every hour from 2027-01-31 08:00\nevery day from 2027-01-31 08:00": (
        "An interval stands alone. Make another schedule for the next one."
    ),
    # single times
    "at noon": "“at noon” cannot be read as a single time. Write it as: at 2027-01-31 18:00.",
    "at 2027-01-31 18:00\nat 2027-13-01 18:00": (
        "Line 2: There is no date 2027-13-01. Write it as year-month-day, such as 2027-01-31."
    ),
    f"{TEN}\nat 2027-02-01 09:00": "A schedule has at most 10 single times. This has 11.",
}

WITH_SECONDS = {
    "0 9 * *": ("A cron line has 5 fields, or 6 with seconds first: second minute hour day month weekday. This has 4."),
    "60 0 9 * * *": "Second 60 does not exist. Use 0 to 59.",
    "*/4 * * * * *": (
        "Two of these times are less than 5 seconds apart. Leave at least 5 seconds between runs, as in */5."
    ),
    "0 0 9 * * *\n4 0 9 * * 1": (
        "Two of these times are less than 5 seconds apart. Leave at least 5 seconds between runs, as in */5."
    ),
    "58 59 23 * * 0\n0 0 0 * * 1": (
        "Two of these times are less than 5 seconds apart. Leave at least 5 seconds between runs, as in */5."
    ),
}

# Seconds of work that no text of a hundred letters needs, however slow the machine.
ENDLESS = 1.0


def read(text: str, *, has_seconds: bool = False, zone: str = "Europe/Berlin") -> Rhythm:
    return rhythm(text, timezone=zone, has_seconds=has_seconds)


class TestWords:
    @pytest.mark.parametrize(("text", "message"), MESSAGES.items())
    def test_what_cannot_be_is_refused_with_its_place(self, text: str, message: str) -> None:
        with pytest.raises(CronInvalid) as caught:
            read(text)

        assert caught.value.message == message

    @pytest.mark.parametrize(("text", "message"), WITH_SECONDS.items())
    def test_seconds_have_words_of_their_own(self, text: str, message: str) -> None:
        with pytest.raises(CronInvalid) as caught:
            read(text, has_seconds=True)

        assert caught.value.message == message

    @pytest.mark.parametrize(
        "text",
        ["0 0 9 * * 1\n3 0 9 * * 2", "*/5 * * * * *", "58 59 23 * * 1\n0 0 0 * * 1", "0,55 59 23 * * *", "0 9 * * *"],
    )
    def test_seconds_that_never_meet_are_accepted(self, text: str) -> None:
        assert read(text, has_seconds=True).cron.text == text

    @pytest.mark.parametrize("text", ["at " * 50_000, "every " * 50_000, "0 9 * * *\n" * 50_000, "\n" * 499 + "x"])
    def test_what_is_huge_is_refused_at_once(self, text: str) -> None:
        begin = time.thread_time()
        with pytest.raises(CronInvalid):
            read(text)

        assert time.thread_time() - begin < ENDLESS

    def test_the_text_is_kept_as_it_was_typed(self) -> None:
        assert read("  0  9 * * MON\r\n\r\n 0 11 * * sat \n").cron.text == "0  9 * * MON\n\n 0 11 * * sat"


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("0 9 * * 1-5\n0 11 * * 6", "Every weekday at 09:00; and every Saturday at 11:00"),
            ("0 9 * * *\n0 9 * * *", "Every day at 09:00"),
            ("every 90 minutes from 2026-11-21 08:00", "Every 90 minutes from Sat 21 Nov 2026, 08:00 on"),
            ("EVERY  hour from 2026-11-21 8:00", "Every hour from Sat 21 Nov 2026, 08:00 on"),
            ("every 2 weeks from 2026-11-23 08:00", "Every 2 weeks at 08:00 from Mon 23 Nov 2026 on"),
            ("at 2026-12-24 18:00", "Once, on Thu 24 Dec 2026 at 18:00"),
            (
                "at 2026-12-31 18:00\nat 2026-12-24 18:00",
                "2 times, on Thu 24 Dec 2026 at 18:00 and Thu 31 Dec 2026 at 18:00",
            ),
            (TEN, "10 times, from Fri 1 Jan 2027 at 09:00 to Sun 10 Jan 2027 at 09:00"),
            ("*/10 * * * * *", "Every 10 seconds"),
            ("30 0 6 * * *", "Every day at 06:00:30"),
            ("30 */5 * * * *", "Every 5 minutes, at second 30"),
            ("*/20 */5 * * * *", "Every 5 minutes, for one minute every 20 seconds"),
            ("*/5 0 * * * *", "Every hour, for one minute every 5 seconds"),
            ("*/30 15 9-17 * * *", "Every hour from 09:15 to 17:15, for one minute every 30 seconds"),
            ("*/10 * 9-17 * * *", "Every minute from 09:00 to 17:59, every 10 seconds in each"),
            ("*/10 0-29 * * * *", "Minutes 0 through 29 past the hour, every 10 seconds in each"),
            ("7,27,50 * * * * 1", "Every minute, at seconds 7, 27 and 50, every Monday"),
        ],
    )
    def test_every_kind_is_one_sentence(self, text: str, sentence: str) -> None:
        assert describe(read(text, has_seconds=True)) == f"{sentence}, Berlin time"

    def test_bounds_are_named(self) -> None:
        when = rhythm("0 9 * * *", timezone="UTC", starts_at=NOW + timedelta(days=1), ends_at=NOW + timedelta(days=3))

        assert notes(when, now=NOW) == ("Starts on Sun 22 Nov 2026, 12:00.", "Ends on Tue 24 Nov 2026, 12:00.")

    def test_what_is_over_says_when_it_was(self) -> None:
        ended = rhythm("0 9 * * *", timezone="UTC", ends_at=NOW)
        once = read("at 2026-11-20 18:00")

        assert notes(ended, now=NOW) == (
            "Ended on Sat 21 Nov 2026, 12:00.",
            "Its last time was Sat 21 Nov 2026, 09:00.",
        )
        assert notes(once, now=NOW) == ("Its last time was Fri 20 Nov 2026, 18:00.",)

    def test_lines_say_what_surprises_people_once(self) -> None:
        when = rhythm("30 2 * * *\n30 2 1 * *", timezone="America/New_York")

        assert notes(when, now=NOW) == ("02:30 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00.",)


class TestCompleting:
    @pytest.mark.parametrize(
        ("text", "complete"),
        [
            ("every 90 minutes from 08:00", "every 90 minutes from 2026-11-21 08:00"),
            ("every 2 hours", "every 2 hours from 2026-11-21 00:00"),
            ("Every  day", "Every  day from 2026-11-21 00:00"),
            ("every 3 days from 2026-12-01", "every 3 days from 2026-12-01 00:00"),
            ("every 2 hours from 2026-12-01 08:00", "every 2 hours from 2026-12-01 08:00"),
            ("0 9 * * *", "0 9 * * *"),
            ("every tuesday", "every tuesday"),
        ],
    )
    def test_today_is_put_where_no_date_is(self, text: str, complete: str) -> None:
        assert complete_interval(text, date(2026, 11, 21)) == complete

    def test_what_is_complete_is_never_changed_again(self) -> None:
        once = complete_interval("every 2 hours", date(2026, 11, 21))

        assert complete_interval(once, date(2027, 5, 5)) == once


class TestTimes:
    def test_a_time_that_two_lines_name_is_one(self) -> None:
        when = rhythm("0 9 * * *\n0 */9 * * *", timezone="UTC")

        found = fire_times(when, after=NOW, limit=4)

        assert [f"{at:%d %H:%M}" for at in found] == ["21 18:00", "22 00:00", "22 09:00", "22 18:00"]

    def test_an_interval_over_a_clock_change_is_the_time_that_passes(self) -> None:
        when = rhythm("every 90 minutes from 2027-03-14 01:00", timezone="America/New_York")

        found = fire_times(when, after=NOW, limit=3)

        assert [f"{at:%H:%M}" for at in found] == ["06:00", "07:30", "09:00"]

    def test_an_interval_from_a_day_its_zone_left_out_begins_right_after_it(self) -> None:
        when = rhythm("every 2 hours from 2011-12-30 09:00", timezone="Pacific/Apia")

        assert next_fire(when, after=datetime(2011, 1, 1, tzinfo=UTC)) == datetime(2011, 12, 30, 10, tzinfo=UTC)

    def test_a_century_of_minutes_is_counted_and_not_listed(self) -> None:
        when = read("every 1 minute from 2000-01-01 00:00")

        begin = time.thread_time()
        found = next_fire(when, after=datetime(2199, 1, 1, tzinfo=UTC))

        assert found == datetime(2199, 1, 1, 0, 1, tzinfo=UTC)
        assert time.thread_time() - begin < ENDLESS

    @pytest.mark.parametrize(
        ("text", "shortest"),
        [
            ("every 90 minutes from 2040-11-21 08:00", timedelta(minutes=90)),
            ("every 3 days from 2040-11-21 08:00", timedelta(days=3)),
            ("at 2040-12-24 18:00", None),
            ("at 2040-12-24 18:00\nat 2040-12-26 18:00\nat 2040-12-25 19:00", timedelta(hours=23)),
            ("0 9 * * *\n30 9 * * *", timedelta(minutes=30)),
            ("*/10 * * * * *", timedelta(seconds=10)),
        ],
    )
    def test_the_shortest_interval_is_known_of_every_kind(self, text: str, shortest: timedelta | None) -> None:
        assert shortest_interval(read(text, has_seconds=True)) == shortest

    def test_a_missed_slot_is_made_up_for_until_the_next_one(self) -> None:
        assert default_max_age(read("every 4 weeks from 2026-11-21 08:00")) == 28 * 86_400
