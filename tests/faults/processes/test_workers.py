"""Workers that are killed, stand still, are replaced, or do not hear what became of their requests."""

import random
import time

import pytest

from app.core.deadline import boot_seconds
from tests.faults.crew import Member
from tests.faults.place import Place
from tests.faults.processes.conftest import MakePlace
from tests.faults.scale import PATIENCE_SECONDS, Report, scaled

pytestmark = pytest.mark.slow

KILL_SECONDS = 2.0
LEASE_SECONDS = 4


class TestWorkersInTrouble:
    def test_killed_every_two_seconds_lose_nothing(self, make_place: MakePlace, parts: str, report: Report) -> None:
        runs = scaled(40, 2_000)
        place = make_place()
        place.make_due(runs, place.make_jobs(0.1, 0.5, 1.0))
        crew = [place.crew.start("worker") for _ in range(scaled(3, 6))]
        next_kill, kills = 0.0, 0

        def kill_now_and_then() -> bool:
            nonlocal next_kill, kills
            at_work = [member for member in crew if member.is_alive and member.says_it_started]
            if boot_seconds() >= next_kill and len(at_work) > 1:
                random.choice(at_work).kill()
                kills, next_kill = kills + 1, boot_seconds() + KILL_SECONDS
            return place.finished >= runs

        place.tend_until(kill_now_and_then, seconds=PATIENCE_SECONDS)
        verdict = place.judge(seconds=PATIENCE_SECONDS)

        report.add(f"kill -9 of a worker every {KILL_SECONDS:.0f} s, {kills} times", parts, verdict)
        assert verdict.faults == {}, verdict.findings
        assert (verdict.runs, kills > 2) == (runs, True)

    def test_that_stand_still_for_two_leases_do_nothing_twice(
        self, make_place: MakePlace, parts: str, report: Report
    ) -> None:
        stops = scaled(3, 50)
        place = make_place()
        jobs = place.make_jobs(0.5, 3.0)
        crew = [place.crew.start("worker") for _ in range(2)]
        for number in range(stops):
            _stand_still_at_work(place, crew[number % 2], lambda: place.make_due(16, jobs))

        verdict = place.judge(seconds=PATIENCE_SECONDS)

        report.add(f"SIGSTOP of a worker for two leases, {stops} times", parts, verdict)
        assert verdict.faults == {}, verdict.findings
        assert (verdict.runs, verdict.lost_attempts > 0) == (stops * 16, True)

    def test_replaced_one_after_the_other_lose_not_even_a_try(
        self, make_place: MakePlace, parts: str, report: Report
    ) -> None:
        restarts = scaled(4, 50)
        # A lease that bears a busy machine: here nobody dies, and no try may be lost.
        place = make_place(BELFRY_LEASE_SECONDS="30")
        jobs = place.make_jobs(0.2, 0.5, 1.0)
        crew = [place.crew.start("worker") for _ in range(2)]
        statuses = []
        for number in range(restarts):
            place.make_due(20, jobs)
            member = crew[number % 2]
            place.tend_until(lambda: all(one.says_it_started for one in crew), seconds=PATIENCE_SECONDS)
            statuses.append(member.stop())
            member.start()

        verdict = place.judge(seconds=PATIENCE_SECONDS)

        report.add(f"rolling restarts by SIGTERM, {restarts} of them", parts, verdict)
        assert verdict.faults == {}, verdict.findings
        assert (verdict.lost_attempts, verdict.given_up, set(statuses)) == (0, 0, {0})

    def test_whose_requests_are_done_but_reported_as_failed_do_nothing_twice(
        self, make_place: MakePlace, parts: str, report: Report
    ) -> None:
        runs, slots = scaled(20, 2_000), scaled(5, 200)
        place = make_place()
        jobs = place.make_jobs(0.1, 0.4)
        place.make_due(runs, jobs)
        # A transaction of hundreds of statements would never come to its end. These are planned by an honest one.
        honest = place.crew.start("scheduler")
        place.tend_until(lambda: place.planned >= runs, seconds=PATIENCE_SECONDS)
        honest.kill()
        place.crew.dismiss(honest)
        for _ in range(2):
            place.crew.start("worker", FAULT_LIE="0.05")
        for _ in range(slots):
            place.make_due(1, jobs)
            place.tend_until(lambda: place.is_planned(place.now()), seconds=PATIENCE_SECONDS)

        verdict = place.judge(seconds=PATIENCE_SECONDS)

        report.add("5 % of statements and commits done, but reported as failed", parts, verdict)
        assert verdict.faults == {}, verdict.findings
        assert verdict.runs == runs + slots


def _stand_still_at_work(place: Place, member: Member, make_work: object) -> None:
    """Freeze a worker that has begun something, for longer than two leases."""
    assert callable(make_work)
    place.tend_until(lambda: all(one.says_it_started for one in place.crew.members), seconds=PATIENCE_SECONDS)
    starts = place.journal.starts.total()
    make_work()
    place.tend_until(lambda: place.journal.starts.total() >= starts + 6, seconds=PATIENCE_SECONDS)
    member.freeze()
    # This is the fault itself: what is tested is that a time passes.
    time.sleep(2 * LEASE_SECONDS)
    member.thaw()
