"""`/schedules/{id}/timeline`: the pictures on the page of a schedule as data."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.jobs.models import Job
from app.schedules.models import Gap, Schedule, SchedulingStop
from tests.api.conftest import Caller
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase

HOUR = timedelta(hours=1)


@pytest.fixture
def job(database: OpenDatabase, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id)


@pytest.fixture
def schedule(database: OpenDatabase, job: Job) -> Schedule:
    with database.transaction() as session:
        return make_schedule(session, job, cron="30 */6 * * *", next_run_at=utc("2027-01-05 12:30"))


class TestTimeline:
    def test_has_runs_and_what_comes(
        self, viewer_api: Caller, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            make_succeeded(session, job, now=clock.moment - 5 * HOUR, schedule_id=schedule.id)
            failed = make_failed(session, job, now=clock.moment - 2 * HOUR, schedule_id=schedule.id)

        data = viewer_api.get(f"/schedules/{schedule.id}/timeline").json["data"]

        assert (data["since"], data["now"], data["until"]) == (
            "2027-01-04T20:00:00Z",
            "2027-01-05T12:00:00Z",
            "2027-01-05T20:00:00Z",
        )
        assert data["runs"][-1] == {
            "outcome": "failed",
            "count": 1,
            "begin": "2027-01-05T10:00:00Z",
            "end": "2027-01-05T10:00:03Z",
            "run_id": str(failed),
        }
        assert [each["first_at"] for each in data["coming"]] == ["2027-01-05T12:30:00Z", "2027-01-05T18:30:00Z"]

    def test_has_gaps_and_how_long_runs_take(
        self, viewer_api: Caller, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            for hours in (3, 2, 1):
                make_succeeded(session, job, now=clock.moment - hours * HOUR, schedule_id=schedule.id)
            session.add(
                Gap(
                    organization_id=schedule.organization_id,
                    schedule_id=schedule.id,
                    first_slot_at=clock.moment - 60 * HOUR,
                    last_slot_at=clock.moment - 50 * HOUR,
                    slots=2,
                    reason="paused",
                    at=clock.moment,
                )
            )

        data = viewer_api.get(f"/schedules/{schedule.id}/timeline", hours=168).json["data"]

        assert [(gap["slots"], gap["reason"]) for gap in data["gaps"]] == [(2, "paused")]
        assert (data["durations"]["typical_seconds"], data["durations"]["longest_seconds"]) == (3, 3)
        assert data["column_seconds"] == 3_600

    def test_counts_where_there_are_too_many_to_list(
        self, viewer_api: Caller, database: OpenDatabase, job: Job
    ) -> None:
        with database.transaction() as session:
            often = make_schedule(session, job, cron="* * * * *").id

        data = viewer_api.get(f"/schedules/{often}/timeline", hours=168).json["data"]

        assert len(data["coming"]) == 56
        assert data["coming"][1] == {"since": "2027-01-05T13:00:00Z", "count": 60, "first_at": None}

    def test_has_nothing_to_come_while_all_scheduling_is_stopped(
        self, viewer_api: Caller, database: OpenDatabase, schedule: Schedule, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            session.add(
                SchedulingStop(stopped_at=clock.moment, stopped_by="root@example.com", reason="Moving", is_open=True)
            )

        assert viewer_api.get(f"/schedules/{schedule.id}/timeline").json["data"]["coming"] == []

    @pytest.mark.parametrize("hours", ["25", "0", "week"])
    def test_knows_a_day_and_a_week(self, viewer_api: Caller, schedule: Schedule, hours: str) -> None:
        assert viewer_api.get(f"/schedules/{schedule.id}/timeline", hours=hours).status_code == 422

    def test_is_not_there_for_strangers(self, stranger_api: Caller, schedule: Schedule) -> None:
        assert stranger_api.get(f"/schedules/{schedule.id}/timeline").status_code == 404
