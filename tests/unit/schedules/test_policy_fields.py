"""Policies that cannot be are refused with what to say instead; lengths of time read as they are written."""

from datetime import timedelta

import pytest

from app.schedules.fire_times import rhythm
from app.schedules.policies import Missed, Overlap
from app.schedules.policy_fields import (
    PolicyInvalid,
    clean_limit,
    clean_max_age,
    clean_notes,
    default_max_age,
    length_words,
    read_length,
    shortest_interval,
)
from app.schedules.policy_words import OVERLAP_SENTENCES, missed_sentence

DAY = 86_400


class TestTheShortestInterval:
    @pytest.mark.parametrize(
        ("line", "interval"),
        [
            ("* * * * *", timedelta(minutes=1)),
            ("0 9 * * 1-5", timedelta(days=1)),
            ("0 9 * * 1", timedelta(days=7)),
            ("0 9 1 * *", timedelta(days=28)),
            ("0,1 0 1 1 *", timedelta(minutes=1)),
            ("@manually", None),
        ],
    )
    def test_is_that_between_any_two_slots(self, line: str, interval: timedelta | None) -> None:
        assert shortest_interval(rhythm(line, timezone="Europe/Berlin")) == interval


class TestTheMaximumAge:
    @pytest.mark.parametrize(("line", "days"), [("0 * * * *", 1), ("0 9 * * *", 1), ("0 9 * * 1", 7), ("@manually", 1)])
    def test_is_a_day_or_the_time_between_two_slots_unless_given(self, line: str, days: int) -> None:
        assert default_max_age(rhythm(line, timezone="UTC")) == days * DAY

    def test_may_be_as_short_as_the_time_between_two_slots(self) -> None:
        hourly = rhythm("0 * * * *", timezone="UTC")

        assert clean_max_age(3_600, when=hourly, missed=Missed.ALL) == 3_600
        with pytest.raises(PolicyInvalid, match="Use at least 1 hour"):
            clean_max_age(3_599, when=hourly, missed=Missed.LATEST)

    def test_does_not_matter_where_nothing_is_made_up_for(self) -> None:
        weekly = rhythm("0 9 * * 1", timezone="UTC")

        assert clean_max_age(60, when=weekly, missed=Missed.SKIP) == 60

    @pytest.mark.parametrize("seconds", [0, -1, 10**9])
    def test_is_a_length_that_can_be(self, seconds: int) -> None:
        with pytest.raises(PolicyInvalid):
            clean_max_age(seconds, when=rhythm("* * * * *", timezone="UTC"), missed=Missed.SKIP)


class TestLimitAndNotes:
    @pytest.mark.parametrize("limit", [0, -1, 101])
    def test_a_limit_outside_of_its_range_is_refused(self, limit: int) -> None:
        with pytest.raises(PolicyInvalid, match="at least 1 and at most 100"):
            clean_limit(limit)

    def test_notes_keep_their_lines_and_nothing_around_them(self) -> None:
        assert clean_notes("  Ask Ben.\r\n\tThen Ana. \n") == "Ask Ben.\n\tThen Ana."

    @pytest.mark.parametrize("text", ["x" * 2_001, "bad \x07 bell", "\u202eturned"])
    def test_notes_that_cannot_be_shown_are_refused(self, text: str) -> None:
        with pytest.raises(PolicyInvalid):
            clean_notes(text)


class TestLengths:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("90m", 5_400), ("36 hours", 129_600), (" 1 Day ", DAY), ("2w", 14 * DAY), ("45 s", 45), ("5 min", 300)],
    )
    def test_are_read_as_people_type_them(self, text: str, seconds: int) -> None:
        assert read_length(text) == seconds

    @pytest.mark.parametrize("text", ["", "soon", "1.5 hours", "-1 day", "1 month", "7", "1h30m"])
    def test_that_cannot_be_read_are_refused(self, text: str) -> None:
        with pytest.raises(PolicyInvalid, match="is no length of time"):
            read_length(text)

    @pytest.mark.parametrize("seconds", [1, 59, 60, 90, 3_600, 5_400, DAY, 129_600, 604_800, 100_001])
    def test_are_written_so_that_they_read_the_same(self, seconds: int) -> None:
        assert read_length(length_words(timedelta(seconds=seconds))) == seconds


class TestSentences:
    def test_there_is_one_for_each_choice(self) -> None:
        missed = {missed_sentence(choice, limit=10, max_age_seconds=DAY) for choice in Missed}

        assert (set(OVERLAP_SENTENCES), len(missed)) == (set(Overlap), len(Missed))

    def test_they_say_the_numbers(self) -> None:
        sentence = missed_sentence(Missed.ALL, limit=25, max_age_seconds=129_600)

        assert sentence == "Missed runs of the last 36 hours are made up for, the newest 25 at most."
