"""A landing that is interrupted anywhere leaves the table as it was; the next one makes it what was fetched."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.syncs.figures import Figure, Metric
from app.syncs.writing import NewerFigures
from tests.database.kpi_world import FETCHED, FIRST, KpiWorld, figures, truth
from tests.factories.figures import campaign, days_from, figure
from tests.fakes.database import OpenDatabase

LATER = FETCHED + timedelta(hours=1)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def connections() -> int:
    """Two land at once."""
    return 2


@pytest.fixture
def world(database: OpenDatabase) -> KpiWorld:
    return KpiWorld.make(database)


@contextmanager
def killed_at(world: KpiWorld, number: int) -> Iterator[Callable[[], int]]:
    """Before the statement of this number something kills whoever sends it. Tells how many were sent."""
    sent = 0

    def count(*_: Any) -> None:
        nonlocal sent
        sent += 1
        if sent == number:
            raise Killed

    event.listen(world.database.write, "before_cursor_execute", count)
    try:
        yield lambda: sent
    finally:
        event.remove(world.database.write, "before_cursor_execute", count)


def die(_session: Session) -> None:
    raise Killed


def corrected() -> list[Figure]:
    """One campaign vanished, one came, and numbers changed."""
    return [one for one in figures(campaigns=3, spend="20") if one.entity.id != "0"]


def test_killed_before_any_of_its_statements_it_lands_nothing(world: KpiWorld) -> None:
    world.land(world.window(figures()))
    before = world.everything()
    with killed_at(world, 10_000) as count, pytest.raises(Killed):
        world.land(world.window(corrected(), fetched_at=LATER), hold_run=die)
    statements = count()

    for number in range(1, statements + 1):
        with killed_at(world, number), pytest.raises(Killed):
            world.land(world.window(corrected(), fetched_at=LATER))
        assert world.everything() == before

    landed = world.land(world.window(corrected(), fetched_at=LATER))
    assert statements > 8
    assert world.table() == truth(corrected())
    assert landed.rows_changed == 6 + 3 + 6


def test_killed_after_its_commit_the_same_again_changes_nothing(world: KpiWorld) -> None:
    with pytest.raises(Killed):
        land_and_die(world)
    before = world.everything()

    again = world.land(world.window(figures()), run_id=new_id())

    assert again.rows_changed == 0
    assert world.everything() == before


def land_and_die(world: KpiWorld) -> None:
    world.land(world.window(figures()))
    raise Killed


@pytest.mark.parametrize("seed", range(6))
def test_any_row_of_fetches_kills_and_repetitions_ends_with_what_was_fetched_last(world: KpiWorld, seed: int) -> None:
    chance = random.Random(seed)
    expected: dict[Any, Any] = {}
    for hour in range(12):
        first = chance.randrange(0, 6)
        days = days_from(FIRST + timedelta(days=first), chance.randrange(1, 4))
        fetched = [
            figure(day, campaign(str(n)), Metric.SPEND, str(Decimal(chance.randrange(-500, 5_000)) / 100))
            for day in days
            for n in range(3)
            if chance.random() < 0.7
        ]
        window = world.window(fetched, first=days[0], days=len(days), fetched_at=FETCHED + timedelta(hours=hour))
        with killed_at(world, chance.randrange(1, 14)), suppress(Killed):
            world.land(window)
        for _ in range(chance.randrange(1, 3)):
            world.land(window)
        expected = {key: value for key, value in expected.items() if key[1] not in days} | truth(fetched)
        assert world.table() == expected


def test_of_two_at_once_the_newer_answers_stay(world: KpiWorld) -> None:
    start, ends = Barrier(2), []

    def land(spend: str, hour: int) -> None:
        start.wait()
        try:
            world.land(world.window(figures(spend=spend), fetched_at=FETCHED + timedelta(hours=hour)))
        except NewerFigures as error:
            ends.append(type(error))

    threads = [Thread(target=land, args=(str(10 + hour), hour)) for hour in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Whoever came first: the older answers were landed before, or not at all.
    assert world.table() == truth(figures(spend="11"))
    assert ends in ([], [NewerFigures])
