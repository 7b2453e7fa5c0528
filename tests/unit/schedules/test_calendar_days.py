"""The days of the calendar against two other readers of cron lines, in UTC where no clock ever changes."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

import pytest
from croniter import croniter
from cronsim import CronSim
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from app.schedules.cron import CronInvalid, parse_cron
from app.schedules.fire_times import fire_times, rhythm

START = datetime(2026, 12, 31, 12, tzinfo=UTC)
DAYS = ("*", "*", "1", "15", "29", "30", "31", "1,15", "10-20", "*/2", "*/10", "L", "28-31")
MONTHS = ("*", "*", "2", "2,4", "1-6", "*/5")
WEEKDAYS = ("*", "*", "0", "1", "1-5", "5,6", "*/2", "*/3")


def day_lines(count: int) -> list[str]:
    random, found = Random("days"), set()
    while len(found) < count:
        text = f"0 0 {random.choice(DAYS)} {random.choice(MONTHS)} {random.choice(WEEKDAYS)}"
        try:
            parse_cron(text)
        except CronInvalid:
            continue
        found.add(text)
    return sorted(found)


@pytest.mark.parametrize("text", [*day_lines(150), "0 0 * * L5", "0 0 * 2 5#5", "0 0 * * 1#1", "0 0 * * L0,L3"])
def test_cronsim_names_the_same_days(text: str) -> None:
    # cronsim writes the last Friday the other way round.
    theirs = text.replace("L5", "5L").replace("L0,L3", "0L,3L")

    expected = list(islice(CronSim(theirs, START), 12))

    assert fire_times(rhythm(text, timezone="UTC"), after=START, limit=12) == expected


@pytest.mark.parametrize(
    "text", ["0 0 15W * *", "0 0 1W * *", "0 0 31W * *", "0 0 30W 2 *", "0 0 L * 1", "0 0 * * L5,L0"]
)
def test_croniter_names_the_same_days_where_its_dialect_goes_beyond_cron(text: str) -> None:
    theirs = croniter(text, START.replace(tzinfo=None), ret_type=datetime, implement_cron_bug=True)

    expected = [theirs.get_next().replace(tzinfo=UTC) for _ in range(60)]

    assert (
        fire_times(rhythm(text, timezone="UTC"), after=START, until=expected[-1] + timedelta(1), limit=60) == expected
    )


MINUTE_TEXTS = ["*", "*/5", "*/7", "0", "30", "0,59", "10-20", "1-59/13", "58,3"]
HOUR_TEXTS = ["*", "*/3", "*/5", "0", "23", "1-3", "9-17/2", "22,4"]
DAY_TEXTS = ["*", "*", "1", "31", "15,L", "*/2", "28-31"]
MONTH_TEXTS = ["*", "*", "2", "2,4", "3,11", "*/5"]
WEEKDAY_TEXTS = ["*", "*", "1-5", "0", "6,2", "*/3"]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    fields=st.tuples(*map(st.sampled_from, (MINUTE_TEXTS, HOUR_TEXTS, DAY_TEXTS, MONTH_TEXTS, WEEKDAY_TEXTS))),
    minutes=st.integers(0, 6 * 366 * 24 * 60),
)
def test_the_next_times_are_those_of_croniter(fields: tuple[str, ...], minutes: int) -> None:
    # Where both day fields are given, the dialect of L5 and 5#2 is ours; alone they are compared above.
    text, after = " ".join(fields), datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    try:
        parse_cron(text)
    except CronInvalid:
        reject()
    theirs = croniter(
        text, after.replace(tzinfo=None), ret_type=datetime, implement_cron_bug=True, max_years_between_matches=100
    )

    expected = [theirs.get_next().replace(tzinfo=UTC) for _ in range(5)]

    assert fire_times(rhythm(text, timezone="UTC"), after=after, limit=5) == expected
