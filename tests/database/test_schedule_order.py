"""In which order schedules are listed, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.ops.schedule_order import ScheduleOrder, ordered_ids
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.schedules.queries import ScheduleFilter
from tests.factories.work import make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-03-02 12:30")
SOON = NOW + timedelta(hours=1)


def ended(session: Session, schedule: Schedule, job: Job, state: RunState, *, seconds: int, ago: int = 1) -> None:
    at = NOW - timedelta(hours=ago)
    run = session.get_one(Run, make_run(session, job, now=at, schedule_id=schedule.id))
    run.state, run.started_at, run.finished_at = state.value, at, at + timedelta(seconds=seconds)
    session.flush()


@pytest.fixture
def four(session: Session, job: Job) -> None:
    """“a” never ran, “B” went well and took long, “c” failed, “d” did both; it runs first."""
    by_name = {
        name: make_schedule(session, job, name=name, next_run_at=SOON + timedelta(hours=hours))
        for name, hours in {"a": 3, "B": 2, "c": 1, "d": 0}.items()
    }
    ended(session, by_name["B"], job, RunState.SUCCEEDED, seconds=90)
    ended(session, by_name["c"], job, RunState.FAILED, seconds=3)
    ended(session, by_name["d"], job, RunState.FAILED, seconds=300, ago=5)
    ended(session, by_name["d"], job, RunState.SUCCEEDED, seconds=30, ago=2)


def names(session: Session, job: Job, sort: str, schedule_filter: ScheduleFilter | None = None) -> str:
    order = ScheduleOrder.read(sort)
    assert order is not None
    found = ordered_ids(
        session, organization_id=job.organization_id, schedule_filter=schedule_filter or ScheduleFilter(), order=order,
        now=NOW,
    )  # fmt: skip
    return "".join(session.get_one(Schedule, each).name for each in found)


@pytest.mark.usefixtures("four")
class TestOrder:
    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("", "cdBa"),
            ("name", "aBcd"),
            ("-name", "dcBa"),
            ("next", "dcBa"),
            ("-next", "aBcd"),
            # What never ran comes last, whichever way round.
            ("success", "cdBa"),
            ("-success", "Bdca"),
            ("duration", "Bdca"),
            ("-duration", "cdBa"),
        ],
    )
    def test_is_by_the_column_that_is_named(self, session: Session, job: Job, sort: str, expected: str) -> None:
        assert names(session, job, sort) == expected

    def test_takes_what_the_filter_does(self, session: Session, job: Job) -> None:
        other = make_job(session, make_organization(session, "Other"))
        make_schedule(session, other, name="x", next_run_at=SOON)

        assert names(session, job, "name", ScheduleFilter(job_id=job.id)) == "aBcd"
        assert names(session, other, "name", ScheduleFilter(job_id=job.id)) == ""

    def test_has_none_that_run_by_hand_alone_before_others(self, session: Session, job: Job) -> None:
        make_schedule(session, job, name="0", next_run_at=None)

        assert (names(session, job, "next")[-1], names(session, job, "-next")[-1]) == ("0", "0")


@pytest.mark.parametrize("text", ["size", "--name", "-", "NAME", "name "])
def test_of_no_order_nothing_is_made(text: str) -> None:
    assert ScheduleOrder.read(text) is None
