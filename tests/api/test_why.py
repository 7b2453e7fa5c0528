"""`/schedules/{id}/why` and `/runs/{id}/why`: a reason for programs, with the facts behind it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from app.core.ids import new_id
from app.jobs.models import Job
from app.ops.models import Heartbeat
from app.runs.queue_models import Queue
from app.schedules.models import Schedule
from tests.api.conftest import Caller
from tests.factories.causes import CAUSES, Held, Scene
from tests.factories.outcomes import make_running
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase


@pytest.fixture
def job(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> Job:
    """A job of an installation with a worker that keeps time."""
    now = clock.moment
    process = {"name": "tower:7", "version": "1.0", "slots": 5, "schedules": True}
    with database.transaction() as session:
        session.add(Heartbeat(process_id=new_id(), **process, started_at=now, beat_at=now, ticked_at=now))
        return make_job(session, organization_id)


class TestSchedules:
    def test_say_by_whom_and_since_when_they_are_off(
        self, viewer_api: Caller, job: Job, database: OpenDatabase
    ) -> None:
        off = {"enabled": False, "switched_at": utc("2027-01-04 09:30"), "switched_by": "ana@example.com"}
        with database.transaction() as session:
            schedule_id = make_schedule(session, job, **off).id

        why = viewer_api.get(f"/schedules/{schedule_id}/why").json["data"]

        assert (why["code"], why["holds"], why["by"]) == ("paused", True, "ana@example.com")
        assert (why["since"], why["also"]) == ("2027-01-04T09:30:00Z", [])

    def test_say_when_they_are_due_while_nothing_is_wrong(
        self, viewer_api: Caller, job: Job, database: OpenDatabase
    ) -> None:
        with database.transaction() as session:
            schedule_id = make_schedule(session, job, next_run_at=utc("2027-01-06 02:00")).id

        why = viewer_api.get(f"/schedules/{schedule_id}/why").json["data"]

        assert (why["code"], why["holds"], why["until"]) == ("not_due", False, "2027-01-06T02:00:00Z")

    def test_are_told_to_their_organization_alone(self, stranger_api: Caller, job: Job, database: OpenDatabase) -> None:
        with database.transaction() as session:
            schedule: Schedule = make_schedule(session, job)

        assert stranger_api.get(f"/schedules/{schedule.id}/why").status_code == 404


class TestRuns:
    def test_say_the_limit_and_their_place(
        self, viewer_api: Caller, job: Job, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            session.execute(update(Queue).where(Queue.name == "code").values(concurrency=1))
            job.concurrency = 1
            session.merge(job)
            make_running(session, job, now=clock.moment)
            run_id = make_run(session, job, now=clock.moment)

        why = viewer_api.get(f"/runs/{run_id}/why").json["data"]

        assert (why["code"], why["limit"], why["taken"], why["position"], why["before"]) == ("job_limit", 1, 1, 1, 0)
        assert [one["code"] for one in why["also"]] == ["queue_limit"]

    def test_say_what_became_of_them(
        self, viewer_api: Caller, job: Job, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_running(session, job, now=clock.moment)

        why = viewer_api.get(f"/runs/{run_id}/why").json["data"]

        assert (why["code"], why["holds"], why["since"]) == ("running", False, "2027-01-05T12:00:00Z")

    def test_are_told_to_their_organization_alone(
        self, stranger_api: Caller, job: Job, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_run(session, job, now=clock.moment)

        assert stranger_api.get(f"/runs/{run_id}/why").status_code == 404


def sent(value: Any) -> Any:
    """A fact as JSON has it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}Z"
    return str(value) if isinstance(value, UUID) else value


@pytest.mark.parametrize("inject", CAUSES)
def test_each_cause_is_named_with_its_facts(
    viewer_api: Caller,
    organization_id: UUID,
    database: OpenDatabase,
    clock: ManualClock,
    inject: Callable[[Scene], Held],
) -> None:
    with database.transaction() as session:
        held = inject(Scene(session, organization_id, clock.moment))

    of_schedule = viewer_api.get(f"/schedules/{held.schedule_id}/why").json["data"]
    answers = [of_schedule, *(viewer_api.get(f"/runs/{run_id}/why").json["data"] for run_id in [held.waits] if run_id)]

    assert of_schedule["waiting_run_id"] == sent(held.waits)
    for why in answers:
        assert (why["code"], why["holds"], [one for one in why["also"] if one["holds"]]) == (held.code, True, [])
        assert {name: why[name] for name in held.facts} == {name: sent(value) for name, value in held.facts.items()}
        assert held.said(lambda at: f"{at:%Y-%m-%d %H:%M:%S} UTC") in why["words"]
