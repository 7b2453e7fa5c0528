"""A database whose clock is set while runs go on: nobody is taken for dead, and no slot is lost or comes twice."""

from datetime import timedelta

import pytest

from tests.faults.expectations import Rule
from tests.faults.place import MOMENT, Place
from tests.faults.processes.conftest import MakePlace
from tests.faults.scale import PATIENCE_SECONDS, Report, scaled

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
# A lease that bears a busy machine: here nobody dies, and no try may be lost.
LEASE_SECONDS = 10
EVERY_MINUTE = 8


class TestAClockThatIsSet:
    @pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
    def test_under_work_takes_nobody_for_dead(
        self, make_place: MakePlace, parts: str, report: Report, step: timedelta
    ) -> None:
        place = make_place(BELFRY_LEASE_SECONDS=str(LEASE_SECONDS))
        for _ in range(2):
            place.crew.start("worker", FAULT_CLOCK=str(place.clock_file))
        runs = _put_to_work(place)
        # By the new time, those that are back have reached this already.
        until = None if step > timedelta() else place.now()
        place.set_clock(ahead=step)

        verdict = place.judge(seconds=PATIENCE_SECONDS, until=until)

        report.add(f"the database's clock set by {step / HOUR:+.0f} h under work", parts, verdict)
        assert verdict.faults == {}, verdict.findings
        assert (verdict.runs >= runs, verdict.lost_attempts, place.crew.ended_by_themselves) == (True, 0, 0)


def _put_to_work(place: Place) -> int:
    """Runs that outlast a lease, and schedules that are due every minute, until some of them go on."""
    runs = scaled(12, 100)
    jobs = place.make_jobs(0.5, LEASE_SECONDS + 2.0)
    place.make_due(runs, jobs)
    slot = place.now().replace(second=0, microsecond=0)
    rules = [Rule("* * * * *", "UTC", slot - MOMENT, slot - MOMENT) for _ in range(EVERY_MINUTE)]
    place.make_schedules(rules, place.make_jobs(0.0), cursor=slot)
    place.tend_until(lambda: place.journal.starts.total() >= runs / 2, seconds=PATIENCE_SECONDS)
    return runs
