"""Which quieter minute a crowded rhythm is offered, and that the offer is the same rhythm otherwise."""

from datetime import UTC, datetime

import pytest

from app.schedules.cron import parse_cron
from app.schedules.day_minutes import in_hour_from, minutes_of, read_minutes
from app.schedules.fire_times import fire_times, rhythm
from app.schedules.load_offers import quieter_minutes

CROWDED = {0: 38, 15: 12, 30: 20, 45: 12}
HOUR = tuple(CROWDED.get(minute, 0) for minute in range(60))
OFFERS = {
    "0 0 * * *": "7 0 * * *",
    "0 9 * * 1-5": "7 9 * * 1-5",
    "@daily": "7 0 * * *",
    "  0  9 * * MON  ": "7  9 * * MON",
    "30 4 1 * *": "37 4 1 * *",
    "*/15 * * * *": "7,22,37,52 * * * *",
    "0,30 9-17 * * *": "7,37 9-17 * * *",
    "0/15 * * * *": "7,22,37,52 * * * *",
    "*/5 * * * *": "4-59/5 * * * *",
    "0 */6 * * *": "7 */6 * * *",
}


@pytest.mark.parametrize(("text", "offered"), OFFERS.items())
def test_a_crowded_minute_is_offered_the_quiet_one_of_its_hour(text: str, offered: str) -> None:
    found = quieter_minutes(parse_cron(text), load=HOUR)

    assert found is not None
    assert found.cron == offered
    assert found.busy == 0


@pytest.mark.parametrize("text", OFFERS)
def test_an_offer_changes_nothing_but_the_minutes(text: str) -> None:
    before, found = parse_cron(text), quieter_minutes(parse_cron(text), load=HOUR)

    after = parse_cron(found.cron if found else "")

    assert after.canonical.split()[1:] == before.canonical.split()[1:]
    assert after.minutes == (found and found.minutes)
    assert all(1 <= abs(new - old) <= 15 for new, old in zip(after.minutes, before.minutes, strict=True))


@pytest.mark.parametrize("text", ["* * * * *", "H 3 * * *", "H/15 * * * *", "@manually", "*/1 9 * * *"])
def test_what_has_no_minute_to_move_is_offered_nothing(text: str) -> None:
    assert quieter_minutes(parse_cron(text, spread_key="k"), load=[50] * 60) is None


def test_nothing_is_offered_where_no_minute_is_quieter() -> None:
    assert quieter_minutes(parse_cron("20 3 * * *"), load=[5] * 60) is None


def test_the_emptiest_minute_wins_over_the_liked_one() -> None:
    load = [40, *([3] * 59)]
    load[12] = 1

    found = quieter_minutes(parse_cron("0 3 * * *"), load=load)

    assert found is not None
    assert (found.cron, found.busy) == ("12 3 * * *", 1)


def test_the_end_of_an_hour_moves_back_and_not_into_the_next() -> None:
    found = quieter_minutes(parse_cron("55 3 * * *"), load=[*([0] * 55), 30, 0, 0, 0, 0])

    assert found is not None
    assert found.cron == "59 3 * * *"


def test_a_line_that_would_grow_too_long_stays() -> None:
    minutes = ",".join(str(minute) for minute in (0, 1, 2, 4, 5, 7, 8, 9))
    text = f"{minutes} {','.join(['3'] * 39)} * * *"

    assert len(text) == 99
    assert quieter_minutes(parse_cron(text), load=[9] * 10 + [0] * 50) is None


@pytest.mark.parametrize("text", ["*/7 3-5,22 * * *", "0 0 * * 1", "H H(0-3) 1 * *", "59 23 L * *", "* * * * *"])
def test_the_minutes_kept_are_exactly_those_at_which_it_ever_fires(text: str) -> None:
    when = rhythm(text, timezone="UTC", spread_key="k")

    kept = read_minutes(minutes_of(when))

    fired = fire_times(when, after=datetime(2026, 12, 31, 23, 59, tzinfo=UTC), limit=3_000)
    assert {minute for minute in range(1440) if kept >> minute & 1} == {at.hour * 60 + at.minute for at in fired}
    assert len(minutes_of(when)) == 180


def test_an_hour_may_go_on_after_midnight() -> None:
    kept = read_minutes(minutes_of(rhythm("0,40 0,23 * * *", timezone="UTC")))

    assert [minute for minute in range(60) if in_hour_from(kept, 23 * 60 + 30) >> minute & 1] == [10, 30]
