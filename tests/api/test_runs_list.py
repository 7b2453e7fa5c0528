"""`GET /runs`: what it is narrowed to, and what it says of each run."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.jobs.models import Job
from app.runs.models import Run
from tests.api.conftest import Caller
from tests.factories.outcomes import make_succeeded
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def job_id(database: OpenDatabase, organization_id: UUID) -> UUID:
    with database.transaction() as session:
        return make_job(session, organization_id).id


@pytest.fixture
def hours(database: OpenDatabase, job_id: UUID, clock: ManualClock) -> list[UUID]:
    """Good runs of three seconds, each an hour older than the one before."""
    with database.transaction() as session:
        job = session.get_one(Job, job_id)
        return [make_succeeded(session, job, now=clock.moment - timedelta(hours=age)) for age in range(4)]


def ids(caller: Caller, **query: object) -> list[str]:
    return [each["id"] for each in caller.get("/runs", **query).json["data"]]


def test_takes_two_instants(viewer_api: Caller, hours: list[UUID], clock: ManualClock) -> None:
    since, until = (clock.moment - timedelta(hours=hour, minutes=30) for hour in (2, 0))

    assert ids(viewer_api, since=since.isoformat(), until=until.isoformat()) == [str(each) for each in hours[1:3]]
    assert viewer_api.get("/runs", since="yesterday").status_code == 422


def test_says_who_asked_and_how_long_it_took(
    operator_api: Caller, database: OpenDatabase, job_id: UUID, hours: list[UUID]
) -> None:
    asked = operator_api.post(f"/jobs/{job_id}/run").json["data"]["run_id"]
    with database.transaction() as session:
        run = session.get_one(Run, hours[0])
        assert run.finished_at is not None
        run.finished_at += timedelta(seconds=6)

    first, second = operator_api.get("/runs", limit=2).json["data"]

    assert (first["id"], first["requested_via"], first["trigger"]) == (asked, "api", "manual")
    assert first["requested_by"]
    assert (second["lateness_seconds"], second["duration_seconds"], second["usual_seconds"]) == (0.0, 9.0, 3.0)


def test_tells_programs_and_people_apart(
    operator_api: Caller, database: OpenDatabase, job_id: UUID, clock: ManualClock
) -> None:
    asked = operator_api.post(f"/jobs/{job_id}/run").json["data"]["run_id"]
    with database.transaction() as session:
        by_hand = make_run(session, session.get_one(Job, job_id), now=clock.moment)

    assert ids(operator_api, trigger="api") == [asked]
    assert set(ids(operator_api, trigger="manual")) == {asked, str(by_hand)}
    assert ids(operator_api, trigger="chain") == []


@pytest.mark.parametrize(
    "query",
    [
        {"since": "0001-01-01T00:00:00Z"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59Z"},
        {"until": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_refuses_the_edges_of_the_calendar(admin_api: Caller, hours: list[UUID], query: dict[str, str]) -> None:
    for path in ("/runs", "/audit"):
        answer = admin_api.get(path, **query)

        assert answer.status_code == 422
        assert "Use an instant" in answer.text
