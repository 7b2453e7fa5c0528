"""The words of a few hundred rhythms, read back: they mean what happens. Where cron-descriptor differs is known."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from cron_descriptor import ExpressionDescriptor, Options

from app.schedules.describe import describe, notes
from app.schedules.fire_times import MOMENT, Rhythm, count_fires, fire_times, rhythm
from tests.unit.schedules.descriptor_reader import read_description
from tests.unit.schedules.word_corpus import CORPUS
from tests.unit.schedules.word_oracle import NotUnderstood, read_sentence

# A leap year, so that every date comes.
FIRST, DAYS = date(2028, 1, 1), 366
COMMON_FIRST, COMMON_DAYS = date(2027, 1, 1), 365
DAY = timedelta(days=1)


def read(text: str) -> Rhythm:
    return rhythm(text, timezone="UTC", spread_key="k")


def words(text: str) -> str:
    return describe(read(text)).removesuffix(", UTC")


def days_of(when: Rhythm, first: date = FIRST, days: int = DAYS) -> list[date]:
    """The days of the year on which it fires at all."""
    begins = {first + n * DAY: datetime(first.year, 1, 1, tzinfo=UTC) + n * DAY for n in range(days)}
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


@pytest.mark.parametrize("text", CORPUS)
def test_the_words_mean_it_in_a_common_year_too(text: str) -> None:
    when, said = read(text), words(text)
    days = days_of(when, COMMON_FIRST, COMMON_DAYS)

    _, is_on = read_sentence(said)

    assert [day for day in (COMMON_FIRST + n * DAY for n in range(COMMON_DAYS)) if is_on(day)] == days
    # “Every year” is a promise, and so is “every month”, unless a note says which months have no such day.
    assert days or " every year" not in said
    lacks_one = " of every month" in said and len({day.month for day in days}) < 12
    assert not lacks_one or any(" no " in note for note in notes(when, now=datetime(2027, 1, 1, tzinfo=UTC)))


def test_hardly_any_rhythm_is_left_without_words() -> None:
    left = [text for text in CORPUS if words(text).startswith("On the cron line ")]

    assert left == []


# What cron-descriptor says that somebody who knows no cron takes for something else, and what is really meant.
CONTRADICTED = {
    r"^Every (7|40) minutes\b": "It starts again with each hour.",
    r"^Every 90 minutes$": "It is once an hour.",
    r"minutes?, every \d+ hours": "Two paces: that whole hours are meant is lost.",
    r"^Every (minute|\d+ minutes), at \d\d:00": "All of those hours are meant, and not those moments.",
    r" through \d\d:59": "Hours are named like stretches of time in which it goes on.",
    r"^Every \d+ minutes, (minutes \d+ through \d+|starting at)": "Four minutes are easier named than worked out.",
    r"every 2 hours, between": "Two ways to say which hours are meant.",
    r"every (2|7|10) days": "It starts again with each month; and a weekday beside it has to fit, too.",
    r"between day 2 and 30 of the month": "A step within a range of days.",
    r"every (2|3|6) months": "Which months they are is left open.",
    r"of the month, on the last Friday": "One of the two is enough, and it asks for both.",
    r"on the  Monday": "Two of a kind are written without their numbers.",
    r"on day [^,]*, .*L of the month": "The last day is called L.",
}


def described(text: str) -> str:
    options = Options(locale_code="en_US", use_24hour_time_format=True)
    # Names and aliases are worked out before: what is compared is the words, not what is understood.
    return ExpressionDescriptor(read(text).cron.canonical, options).get_full_description()


def is_true(text: str, description: str) -> bool:
    """Whether what it says is what happens."""
    when = read(text)
    days = days_of(when)
    try:
        minutes, is_on = read_description(description)
    except NotUnderstood:
        return False
    on_days = [day for day in (FIRST + n * DAY for n in range(DAYS)) if is_on(day)]
    return (minutes, on_days) == (minutes_on(when, days[0]), days)


def test_cron_descriptor_is_contradicted_only_where_that_was_looked_at() -> None:
    unknown, used = [], set()
    for text in CORPUS:
        description = described(text)
        if is_true(text, description):
            continue
        reasons = [pattern for pattern in CONTRADICTED if re.search(pattern, description)]
        used |= set(reasons)
        if not reasons:
            unknown.append((text, description, words(text)))

    assert unknown == []
    assert set(CONTRADICTED) == used
