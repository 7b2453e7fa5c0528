"""Every kind of rhythm under every rule, compared step by step with a clock, around every clock change."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schedules.cron import CronInvalid
from app.schedules.fire_times import ClockChange, Rhythm, count_fires, fire_times, last_fire, rhythm
from tests.unit.schedules.cron_oracle import MINUTE
from tests.unit.schedules.cron_texts import random_cron
from tests.unit.schedules.rule_model import SECOND, Names, Window, elapsed, first_showing, names_of
from tests.unit.schedules.test_clock_change_differential import YEARS, changes

AROUND = timedelta(hours=14)
ZONES = sorted(YEARS)
Answers = tuple[list[datetime], int, datetime | None]


def answers(when: Rhythm, after: datetime, until: datetime) -> Answers:
    return (
        fire_times(when, after=after, until=until, limit=100_000),
        count_fires(when, after=after, until=until),
        last_fire(when, after=after, until=until),
    )


def expected(found: Sequence[datetime], after: datetime, until: datetime) -> Answers:
    inside = sorted({at for at in found if after < at <= until})
    return inside, len(inside), inside[-1] if inside else None


def some_lines(random: Random, wall: datetime, count: int) -> list[str]:
    """Cron lines that can be, often at the hours that the change concerns."""
    found: list[str] = []
    while len(found) < count:
        line = random_cron(random, hours=(wall.hour, (wall.hour - 1) % 24, (wall.hour - 2) % 24))
        try:
            rhythm(line, timezone="UTC")
        except CronInvalid:
            continue
        found.append(line)
    return found


def by_model(window: Window, lines: Sequence[str], choice: ClockChange) -> list[datetime]:
    found: set[datetime] = set()
    for line in lines:
        names, is_wild = names_of(line)
        found.update(window.fires(names, None if is_wild else choice.value))
    return sorted(found)


def near(change: datetime, name: str) -> datetime:
    """The wall time right after a change."""
    return change.astimezone(ZoneInfo(name)).replace(tzinfo=None)


@pytest.mark.parametrize("name", ZONES)
def test_several_lines_fire_when_any_of_them_would(name: str) -> None:
    random, wrong = Random(f"lines {name}"), []

    for change in changes(name, *YEARS[name]):
        window = Window(name, change - AROUND, change + AROUND)
        after, until = window.instants[0], window.instants[-1]
        for choice in ClockChange:
            lines = some_lines(random, near(change, name), random.randint(2, 5))
            when = rhythm("\n".join(lines), timezone=name, clock_change=choice)
            if answers(when, after, until) != expected(by_model(window, lines, choice), after, until):
                wrong.append((change.isoformat(), choice.value, lines))

    assert wrong == []


@pytest.mark.parametrize("name", ZONES)
def test_single_lines_follow_every_rule(name: str) -> None:
    random, wrong = Random(f"rule {name}"), []

    for change in changes(name, *YEARS[name]):
        window = Window(name, change - AROUND, change + AROUND)
        after, until = window.instants[0], window.instants[-1]
        for choice in (ClockChange.SKIP, ClockChange.TWICE):
            for line in some_lines(random, near(change, name), 4):
                when = rhythm(line, timezone=name, clock_change=choice)
                if answers(when, after, until) != expected(by_model(window, [line], choice), after, until):
                    wrong.append((change.isoformat(), choice.value, line))

    assert wrong == []


@pytest.mark.parametrize("name", ZONES)
def test_days_and_weeks_keep_the_time_on_the_wall(name: str) -> None:
    random, wrong = Random(f"days {name}"), []

    for change in changes(name, *YEARS[name]):
        window = Window(name, change - AROUND, change + AROUND)
        after, until = window.instants[0], window.instants[-1]
        shown = near(change, name).replace(second=0, microsecond=0)
        for choice in ClockChange:
            days = random.randint(1, 3)
            anchor = shown - timedelta(days=days * random.randint(0, 40), minutes=random.randint(-90, 90))
            when = rhythm(f"every {days} days from {anchor:%Y-%m-%d %H:%M}", timezone=name, clock_change=choice)
            model = window.fires(_every(days, anchor), choice.value)
            if answers(when, after, until) != expected(list(model), after, until):
                wrong.append((change.isoformat(), choice.value, when.cron.text))

    assert wrong == []


@pytest.mark.parametrize("name", ZONES)
def test_single_times_come_once_by_every_rule(name: str) -> None:
    random, wrong = Random(f"at {name}"), []

    for change in changes(name, *YEARS[name]):
        window = Window(name, change - AROUND, change + AROUND)
        after, until = window.instants[0], window.instants[-1]
        shown = near(change, name).replace(second=0, microsecond=0)
        for choice in ClockChange:
            times = {shown + timedelta(minutes=random.randint(-130, 130)) for _ in range(random.randint(1, 10))}
            when = rhythm("\n".join(f"at {at:%Y-%m-%d %H:%M}" for at in times), timezone=name, clock_change=choice)
            model = window.fires(times.__contains__, choice.value)
            if answers(when, after, until) != expected(list(model), after, until):
                wrong.append((change.isoformat(), choice.value, when.cron.text))

    assert wrong == []


@pytest.mark.parametrize("name", ZONES)
def test_minutes_and_hours_are_those_that_pass(name: str) -> None:
    random, wrong = Random(f"minutes {name}"), []

    for change in changes(name, *YEARS[name]):
        window = Window(name, change - AROUND, change + AROUND)
        after, until = window.instants[0], window.instants[-1]
        anchor = near(change, name).replace(second=0, microsecond=0) + timedelta(minutes=random.randint(-2000, 300))
        minutes = random.randint(1, 200)
        when = rhythm(f"every {minutes} minutes from {anchor:%Y-%m-%d %H:%M}", timezone=name)
        model = elapsed(first_showing(name, anchor), minutes * MINUTE, window)
        if answers(when, after, until) != expected(model, after, until):
            wrong.append((change.isoformat(), when.cron.text))

    assert wrong == []


@pytest.mark.parametrize("name", ["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Antarctica/Casey"])
def test_seconds_are_exact_where_the_clocks_change(name: str) -> None:
    random, wrong = Random(f"seconds {name}"), []

    for change in list(changes(name, *YEARS[name]))[:4]:
        window = Window(name, change - timedelta(hours=4), change + timedelta(hours=4), SECOND)
        after, until = window.instants[0], window.instants[-1]
        hour = near(change, name).hour
        for choice in ClockChange:
            lines = [
                f"{random.choice(['30', '*/20', '0,30'])} {random.choice(['0', '15', '0,30'])} {(hour - 1) % 24} * * *",
                f"30 {random.choice(['*/10', '*', '20'])} {random.choice(['*', str(hour)])} * * *",
            ]
            when = rhythm("\n".join(lines), timezone=name, clock_change=choice, has_seconds=True)
            if answers(when, after, until) != expected(by_model(window, lines, choice), after, until):
                wrong.append((change.isoformat(), choice.value, lines))

    assert wrong == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    name=st.sampled_from(ZONES),
    choice=st.sampled_from(ClockChange),
    start=st.integers(0, 10 * 365 * 1440),
    bounds=st.tuples(st.integers(-600, 2_000), st.integers(-600, 2_000)),
)
def test_bounds_cut_every_answer_alike(
    seed: int, name: str, choice: ClockChange, start: int, bounds: tuple[int, int]
) -> None:
    begin = datetime(2018, 1, 1, tzinfo=UTC) + start * MINUTE
    window = Window(name, begin, begin + timedelta(hours=24))
    lines = some_lines(Random(seed), window.walls[600], 3)
    starts_at, ends_at = (begin + bound * MINUTE + 30 * SECOND for bound in bounds)

    when = rhythm("\n".join(lines), timezone=name, clock_change=choice, starts_at=starts_at, ends_at=ends_at)
    model = [at for at in by_model(window, lines, choice) if starts_at <= at < ends_at]

    assert answers(when, window.instants[0], window.instants[-1]) == expected(
        model, window.instants[0], window.instants[-1]
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), name=st.sampled_from(ZONES), choice=st.sampled_from(ClockChange))
def test_weeks_of_several_lines_are_counted_as_they_are_listed(seed: int, name: str, choice: ClockChange) -> None:
    random = Random(seed)
    lines = some_lines(random, datetime(2027, 3, 14, 2, tzinfo=UTC), random.randint(2, 5))
    after = datetime(random.randint(2015, 2030), random.randint(1, 12), random.randint(1, 28), 5, 7, tzinfo=UTC)
    when = rhythm("\n".join(lines), timezone=name, clock_change=choice)

    found = fire_times(when, after=after, until=after + timedelta(days=20), limit=10**6)

    assert count_fires(when, after=after, until=after + timedelta(days=20)) == len(found)
    assert found == sorted({at for line in lines for at in _alone(line, name, choice, after)})


def _alone(line: str, name: str, choice: ClockChange, after: datetime) -> list[datetime]:
    when = rhythm(line, timezone=name, clock_change=choice)
    return fire_times(when, after=after, until=after + timedelta(days=20), limit=10**6)


def _every(days: int, anchor: datetime) -> Names:
    def names(wall: datetime) -> bool:
        return wall >= anchor and (wall - anchor) % timedelta(days=days) == timedelta()

    return names
