"""The runs around one, and the last good one before it."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.runs.neighbours import last_good_before, marks_around, neighbours_of
from app.runs.outcomes import Outcome
from app.runs.queries import RunRow, get_run
from app.schedules.models import Schedule
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import load_run, make_gap, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")


@pytest.fixture
def runs(session: Session, job: Job) -> list[UUID]:
    """Ten of one schedule, the oldest first; the second and the fourth went well."""
    schedule_id = make_schedule(session, job).id
    makers = [make_succeeded if number in {1, 3} else make_failed for number in range(10)]
    return [
        make(session, job, now=NOW + timedelta(hours=number), schedule_id=schedule_id)
        for number, make in enumerate(makers)
    ]


def row(session: Session, job: Job, run_id: UUID) -> RunRow:
    return get_run(session, organization_id=job.organization_id, run_id=run_id)


@pytest.mark.parametrize(
    ("place", "shown"), [(5, slice(3, 8)), (0, slice(0, 5)), (1, slice(0, 5)), (9, slice(5, 10)), (8, slice(5, 10))]
)
def test_a_run_stands_in_the_middle_where_there_are_enough(
    session: Session, job: Job, runs: list[UUID], place: int, shown: slice
) -> None:
    found = neighbours_of(session, row(session, job, runs[place]), most=5, now=NOW)

    assert [one.id for one in found.runs] == runs[shown]


def test_the_next_ones_on_either_side_are_named(session: Session, job: Job, runs: list[UUID]) -> None:
    first, middle, last = (
        neighbours_of(session, row(session, job, runs[place]), most=30, now=NOW) for place in (0, 4, 9)
    )

    assert (first.previous, first.following) == (None, runs[1])
    assert (middle.previous, middle.following) == (runs[3], runs[5])
    assert (last.previous, last.following) == (runs[8], None)


def test_runs_of_no_schedule_keep_to_themselves(session: Session, job: Job, runs: list[UUID]) -> None:
    alone = make_failed(session, job, now=NOW + timedelta(hours=4, minutes=30))

    found = neighbours_of(session, row(session, job, alone), most=5, now=NOW)

    assert [one.id for one in found.runs] == [alone]


def test_the_last_good_one_is_from_before(session: Session, job: Job, runs: list[UUID]) -> None:
    found = [last_good_before(session, row(session, job, runs[place])) for place in (1, 2, 3, 9)]

    assert [one and one.id for one in found] == [None, runs[1], runs[1], runs[3]]


class TestMissed:
    """Slots that nobody executed, as the picture of the runs around one shows them."""

    def marks(self, session: Session, job: Job, run_id: UUID, *, most: int, now: datetime) -> list[UUID | None]:
        """The ids of the runs from the left, and nothing for a slot."""
        run = row(session, job, run_id)
        found = neighbours_of(session, run, most=most, now=now)
        shown = marks_around(session, run, found, most=most, now=now)
        return [None if mark.outcome is Outcome.MISSED else mark.id for mark in shown]

    def lose(self, session: Session, run_id: UUID, *, first: timedelta, last: timedelta, slots: int) -> None:
        run = load_run(session, run_id)
        schedule = session.get_one(Schedule, run.schedule_id)
        make_gap(session, schedule, run.created_at + first, run.created_at + last, slots=slots)

    def test_stand_between_the_runs(self, session: Session, job: Job, runs: list[UUID]) -> None:
        self.lose(session, runs[5], first=timedelta(minutes=10), last=timedelta(minutes=20), slots=2)

        shown = self.marks(session, job, runs[6], most=5, now=NOW + timedelta(days=1))

        assert shown == [None, None, runs[6], runs[7], runs[8]]

    def test_behind_the_last_run_are_shown(self, session: Session, job: Job, runs: list[UUID]) -> None:
        self.lose(session, runs[9], first=timedelta(hours=1), last=timedelta(hours=2), slots=2)

        shown = self.marks(session, job, runs[9], most=5, now=NOW + timedelta(days=1))

        assert shown == [runs[7], runs[8], runs[9], None, None]

    def test_before_the_first_run_are_shown(self, session: Session, job: Job, runs: list[UUID]) -> None:
        self.lose(session, runs[0], first=-timedelta(hours=3), last=-timedelta(hours=1), slots=3)

        shown = self.marks(session, job, runs[0], most=30, now=NOW + timedelta(days=1))

        assert shown == [None, None, None, *runs]

    def test_beyond_the_runs_that_are_shown_stay_away(self, session: Session, job: Job, runs: list[UUID]) -> None:
        self.lose(session, runs[0], first=timedelta(minutes=1), last=timedelta(minutes=9), slots=9)
        self.lose(session, runs[9], first=timedelta(minutes=1), last=timedelta(minutes=9), slots=9)

        shown = self.marks(session, job, runs[5], most=5, now=NOW + timedelta(days=1))

        assert shown == runs[3:8]
