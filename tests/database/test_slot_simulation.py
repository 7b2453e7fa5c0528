"""Schedules live through downtime, pauses, stops and edits; a simple model says where each slot has to be."""

from collections import Counter
from itertools import cycle, product

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from app.schedules.policies import Missed, Overlap
from tests.database.slot_life import Life
from tests.fakes.database import OpenDatabase

CRONS = ("*/7 * * * *", "15 1,2,3 * * *")
BESIDE = range(6)
NOTHING, A_RUN_GOES_ON, ALL_IS_STOPPED, AN_EDIT, AN_EDIT_THAT_SWITCHES_IT_ON, AN_EDIT_OF_POLICIES = BESIDE

# What these lives have to show.
SHOWN = {
    *(f"answered: {choice}" for choice in Missed), *(f"edited: {choice}" for choice in Missed),
    "answered: all, beyond the limit", "answered: nothing missed", "answered beside a run that goes on",
    "answered while everything is stopped", "answered after an edit", "answered late, and refused",
    "answered late, and it is all the same", "edited while off",
    "edited while off, and kept what it missed", "edited: another overlap", "switched on twice",
}  # fmt: skip


slow = pytest.mark.slow


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=slow)])
def engine(request: pytest.FixtureRequest) -> str:
    """SQLite always; PostgreSQL where minutes do not count. What becomes of slots is tested on both elsewhere."""
    name: str = request.param
    return name


class TestEverySlot:
    @pytest.mark.parametrize("lives", [8, pytest.param(20, marks=slow)])
    def test_is_accounted_for_whatever_happens(self, database: OpenDatabase, lives: int) -> None:
        run_state_machine_as_test(
            life_in(database),
            settings=settings(
                max_examples=lives, stateful_step_count=40, deadline=None, derandomize=True,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip

    def test_runs_or_stays_missed_as_somebody_answers(self, database: OpenDatabase) -> None:
        life = life_in(database)
        answers = list(product(Missed, (0, 1, 2, 3, 5), (0, 1, 8)))

        # What else goes on is another combination each time.
        beside = zip(cycle(Overlap), cycle(BESIDE), cycle(CRONS))
        for (choice, slots, late), (overlap, happens, cron) in zip(answers, beside, strict=False):
            live_through(life(), choice, slots, late, overlap, happens, cron)

        assert SHOWN - set(life.shown) == set()


def live_through(life: Life, choice: Missed, slots: int, late: int, overlap: Overlap, happens: int, cron: str) -> None:
    """One schedule is switched off and on again, and is asked about what it missed; meanwhile something happens."""
    life.begin()
    life.make(cron=cron, zone="Europe/Riga", missed=Missed.LATEST, overlap=overlap, intervals=5, limit=3)
    life.wait_past_slots(which=0, slots=1, seconds=1)
    life.tick()
    if happens != A_RUN_GOES_ON:
        life.work()
    life.pause(which=0, slots=slots)
    if happens == ALL_IS_STOPPED:
        life.stop_or_start_everything()
    if happens in (AN_EDIT, AN_EDIT_OF_POLICIES):
        life.edit(
            which=0,
            is_elsewhen=happens == AN_EDIT,
            cron="5 * * * *",
            zone="UTC",
            turn=False,
            missed=Missed.ALL,
            overlap=Overlap.QUEUE_ONE,
            limit=3,
            choice=choice,
        )
        life.wait_past_slots(which=0, slots=slots, seconds=1)
    if happens == AN_EDIT_THAT_SWITCHES_IT_ON:
        life.edit(
            which=0,
            cron="5 * * * *",
            zone="UTC",
            turn=True,
            missed=Missed.SKIP,
            overlap=Overlap.ALLOW,
            limit=1,
            choice=choice,
        )
    life.resume(which=0, choice=choice, late=late)
    life.every_slot_is_accounted_for_once()
    life.resume(which=0, choice=choice, late=0)
    life.work()
    life.tick()
    life.every_slot_is_accounted_for_once()
    life.teardown()


def life_in(database: OpenDatabase) -> type[Life]:
    return type("LifeHere", (Life,), {"database": database, "shown": Counter()})
