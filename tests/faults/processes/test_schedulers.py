"""Schedulers that die at any step, that are many, and whose schedules are changed in the very minute they are due."""

import random
import threading
from datetime import datetime, timedelta

import pytest

from app.core.clock import DatabaseClock
from app.core.scopes import Scope
from app.runs.service import edit_schedule, switch_schedule
from app.schedules.queries import get_schedule
from app.schedules.service import ScheduleDraft
from tests.faults.expectations import Expectation, Rule, fires
from tests.faults.place import MOMENT, Jobs, Place
from tests.faults.processes.conftest import MakePlace
from tests.faults.scale import PATIENCE_SECONDS, Report, scaled

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
MISSED_MINUTES = 10
# Beyond the last request of a tick that plans two schedules and hints at their runs.
LAST_STEP = 50
# As long as that after the last slot, schedules are still being changed.
AFTER = timedelta(seconds=5)
RHYTHMS = ("* * * * *", "*/2 * * * *", "1-59/2 * * * *")


class TestSchedulersInTrouble:
    def test_killed_at_any_step_around_a_slot_leave_it_whole(
        self, make_place: MakePlace, parts: str, report: Report
    ) -> None:
        place = make_place()
        jobs = place.make_jobs(0.0)
        deaths = 0
        for step in range(random.randint(1, scaled(5, 1)), LAST_STEP, scaled(5, 1)):
            # As long as nobody has planned these, the next scheduler dies a step further on in the same work.
            if place.is_planned(place.now()):
                _make_missed_and_due(place, jobs)
            mortal = place.crew.start("scheduler", FAULT_DIE_AT=str(step))
            place.crew.dismiss(mortal)
            # It dies in any case: the steps go on with the next ticks.
            mortal.process.wait(PATIENCE_SECONDS)
            deaths += 1
        place.crew.start("worker")
        verdict = place.judge(seconds=PATIENCE_SECONDS)

        report.add(f"kill -9 of the scheduler at {deaths} steps of a tick", parts, verdict)
        assert verdict.faults == {}, verdict.findings
        assert verdict.slots > MISSED_MINUTES

    def test_four_at_once_make_every_slot_one_run(self, make_place: MakePlace, parts: str, report: Report) -> None:
        rounds, due = scaled(2, 20), scaled(300, 10_000)
        place = make_place()
        jobs = place.make_jobs(0.0)
        crew = [place.crew.start("scheduler") for _ in range(4)]
        place.tend_until(lambda: all(one.says_it_started for one in crew), seconds=PATIENCE_SECONDS)
        for number in range(rounds):
            place.make_due(due, jobs)
            wanted = due * (number + 1)
            place.tend_until(lambda wanted=wanted: place.planned >= wanted, seconds=PATIENCE_SECONDS)  # type: ignore[misc]

        complaints, ended = place.crew.complaints, place.crew.ended_by_themselves
        verdict = place.judge(seconds=0)

        # Nobody executes these: that they wait is what they should do.
        verdict.overdue -= rounds * due
        report.add(f"four schedulers, {rounds} times {due:,} schedules due at once", parts, verdict)
        assert verdict.faults == {}, verdict.findings
        assert (verdict.runs, complaints, ended) == (rounds * due, [], 0)

    def test_changed_while_they_are_due_fire_as_they_said_at_the_time(
        self, make_place: MakePlace, parts: str, report: Report
    ) -> None:
        minutes, schedules = scaled(1, 20), 24
        place = make_place()
        start = place.now().replace(second=0, microsecond=0) + MINUTE
        rules = [Rule(RHYTHMS[0], "UTC", start - MOMENT, start - MOMENT) for _ in range(schedules)]
        made = place.make_schedules(rules, place.make_jobs(0.0), cursor=start)
        for _ in range(2):
            place.crew.start("worker")
        over = threading.Event()
        hands = [threading.Thread(target=_keep_changing, args=(place, made[part::2], over)) for part in range(2)]
        for hand in hands:
            hand.start()
        last = start + (minutes - 1) * MINUTE
        place.tend_until(lambda: place.now() > last + AFTER, seconds=PATIENCE_SECONDS + 60 * minutes)
        over.set()
        for hand in hands:
            hand.join()
        for expectation in made:
            _switch(place, expectation, is_on=True)

        verdict = place.judge(seconds=PATIENCE_SECONDS)

        changes = sum(len(expectation.rules) for expectation in made)
        report.add(f"{changes:,} switches and edits around {minutes} due minutes", parts, verdict)
        assert verdict.faults == {}, verdict.findings
        assert (verdict.slots > 0, changes > 2 * schedules) == (True, True)


def _make_missed_and_due(place: Place, jobs: Jobs) -> None:
    """One slot that comes now, and one with ten before it that nobody was there for."""
    (due,) = place.make_due(1, jobs)
    first = due.rules[0].asked_at - MISSED_MINUTES * MINUTE
    place.make_schedules([Rule("*/2 * * * *", "UTC", first, first)], jobs, cursor=_first_slot(first))


def _first_slot(after: datetime) -> datetime:
    return fires("*/2 * * * *", "UTC", after=after, until=after + 3 * MINUTE)[0]


def _keep_changing(place: Place, schedules: list[Expectation], over: threading.Event) -> None:
    """Switch and edit one after the other, most of all when a minute begins."""
    while not over.is_set():
        for expectation in random.sample(schedules, len(schedules)):
            last = expectation.rules[-1]
            if random.random() < 0.5:
                _switch(place, expectation, is_on=not last.is_on)
            else:
                _edit(place, expectation, random.choice(RHYTHMS))
        seconds = 60 - place.now().second
        # Between two minutes nothing is due, and one change in a while is enough.
        over.wait(0.01 if seconds < 3 or seconds > 57 else 2.0)


def _switch(place: Place, expectation: Expectation, *, is_on: bool) -> None:
    last = expectation.rules[-1]
    if last.is_on is is_on:
        return
    with place.database.transaction(Scope.tenant(place.actor.organization_id, place.actor.user_id)) as session:
        now = DatabaseClock().now(session)
        switch_schedule(session, actor=place.actor, schedule_id=expectation.schedule_id, enabled=is_on, now=now)
    expectation.rules.append(Rule(last.cron, last.timezone, now, place.now(), is_on))


def _edit(place: Place, expectation: Expectation, cron: str) -> None:
    last, organization_id = expectation.rules[-1], place.actor.organization_id
    with place.database.transaction(Scope.tenant(organization_id, place.actor.user_id)) as session:
        now = DatabaseClock().now(session)
        seen = get_schedule(session, organization_id=organization_id, schedule_id=expectation.schedule_id)
        draft = ScheduleDraft(
            seen.name, seen.job_id, cron, seen.timezone, seen.spread_key, seen.enabled, seen.overlap, seen.missed
        )
        edit_schedule(session, actor=place.actor, schedule_id=seen.id, draft=draft, version=seen.version, now=now)
    expectation.rules.append(Rule(cron, last.timezone, now, place.now(), last.is_on))
