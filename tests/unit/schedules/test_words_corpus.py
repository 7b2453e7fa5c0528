"""The words of a few hundred rhythms: read back they mean what happens, and cron-descriptor is contradicted knowingly."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.schedules.describe import describe
from app.schedules.fire_times import MOMENT, Rhythm, count_fires, fire_times, rhythm
from tests.unit.schedules.word_corpus import CORPUS
from tests.unit.schedules.word_oracle import read_sentence

# A leap year, so that every date comes.
FIRST, DAYS = date(2028, 1, 1), 366
DAY = timedelta(days=1)


def read(text: str) -> Rhythm:
    return rhythm(text, timezone="UTC", spread_key="k")


def words(text: str) -> str:
    return describe(read(text)).removesuffix(", UTC")


def days_of(when: Rhythm) -> list[date]:
    """The days of the year on which it fires at all."""
    begins = {FIRST + n * DAY: datetime(2028, 1, 1, tzinfo=UTC) + n * DAY for n in range(DAYS)}
    return [day for day, at in begins.items() if count_fires(when, after=at - MOMENT, until=at + DAY - MOMENT)]


def minutes_on(when: Rhythm, day: date) -> set[int]:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = fire_times(when, after=begin - MOMENT, until=begin + DAY - MOMENT, limit=1440)
    return {at.hour * 60 + at.minute for at in found}


@pytest.mark.parametrize("text", CORPUS)
def test_the_words_read_back_are_what_happens(text: str) -> None:
    when, said = read(text), words(text)
    if said.startswith("On the cron line "):
        pytest.skip("nothing is said, so nothing can be false")
    days = days_of(when)

    minutes, is_on = read_sentence(said)

    assert minutes == minutes_on(when, days[0])
    assert [day for day in (FIRST + n * DAY for n in range(DAYS)) if is_on(day)] == days


def test_hardly_any_rhythm_is_left_without_words() -> None:
    left = [text for text in CORPUS if words(text).startswith("On the cron line ")]

    assert left == []
