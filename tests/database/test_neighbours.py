"""The runs around one, and the last good one before it."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.runs.neighbours import last_good_before, neighbours_of
from app.runs.queries import RunRow, get_run
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_schedule
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
