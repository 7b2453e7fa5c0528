"""`/schedules/preview`: what a schedule would do among the others, before it is saved."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.ids import new_id
from app.jobs.models import Job
from app.ops.models import Heartbeat
from app.runs.models import Run
from tests.api.conftest import Caller
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase

PATH = "/schedules/preview"
MIDNIGHT = {"cron": "0 0 * * *", "timezone": "UTC"}


@pytest.fixture(autouse=True)
def monday_noon(clock: ManualClock) -> None:
    clock.moment = utc("2027-03-01 12:00")


@pytest.fixture
def job(database: OpenDatabase, viewer_api: Caller) -> Job:
    with database.transaction() as session:
        return make_job(session, viewer_api.organization_id, name="Orders")


def add(database: OpenDatabase, job: Job, count: int, **columns: Any) -> None:
    with database.transaction() as session:
        for _ in range(count):
            make_schedule(session, job, **columns)


def add_worker(database: OpenDatabase, clock: ManualClock, slots: int) -> None:
    with database.transaction() as session:
        session.add(
            Heartbeat(
                process_id=new_id(),
                name="worker",
                version="1",
                slots=slots,
                schedules=True,
                started_at=clock.moment,
                beat_at=clock.moment,
            )
        )


def preview(caller: Caller, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = caller.post(PATH, MIDNIGHT | body).json["data"]
    return found


class TestLoad:
    def test_counts_the_others_at_that_moment_and_offers_a_quiet_minute(
        self, viewer_api: Caller, database: OpenDatabase, job: Job
    ):
        add(database, job, 38, cron="0 0 * * *")

        load = preview(viewer_api)["load"]

        assert load["text"] == "38 other schedules start at 00:00."
        assert load["offer"]["cron"] == "7 0 * * *"
        assert (load["hour"][0], sum(load["hour"])) == (38, 38)

    def test_says_nothing_once_the_offer_is_taken(self, viewer_api: Caller, database: OpenDatabase, job: Job):
        add(database, job, 38, cron="0 0 * * *")

        assert preview(viewer_api, cron="7 0 * * *")["load"] is None

    def test_counts_by_the_clock_of_each_schedule_and_on_the_day_itself(
        self, viewer_api: Caller, database: OpenDatabase, job: Job
    ):
        add(database, job, 6, cron="0 2 * * *", timezone="Europe/Riga")
        add(database, job, 6, cron="0 0 * * 2", timezone="UTC")
        # None of these starts on that Tuesday.
        add(database, job, 7, cron="0 0 * * 1")
        add(database, job, 7, cron="0 0 15 * *")
        add(database, job, 7, cron="0 0 * * *", timezone="Europe/Riga")
        add(database, job, 7, cron="0 0 * * *", enabled=False)

        load = preview(viewer_api, cron="0 0 2 3 *")["load"]

        assert load["others"] == 12

    def test_follows_every_change_of_schedules(self, owner_api: Caller, database: OpenDatabase, job: Job):
        add(database, job, 11, cron="0 0 * * *")
        before = preview(owner_api)["load"]["others"]

        body = {"name": "One more", "job_id": str(job.id), "cron": "@daily", "timezone": "UTC"}
        made = owner_api.post("/schedules", body).json["data"]
        with_it = preview(owner_api)["load"]["others"]
        owner_api.post(f"/schedules/{made['id']}/pause")

        assert (before, with_it, preview(owner_api)["load"]["others"]) == (11, 12, 11)

    def test_does_not_count_the_schedule_that_is_edited(self, owner_api: Caller, database: OpenDatabase, job: Job):
        add(database, job, 11, cron="0 0 * * *")
        body = {"name": "Mine", "job_id": str(job.id), "cron": "0 0 * * *", "timezone": "UTC"}
        mine = owner_api.post("/schedules", body).json["data"]["id"]

        stored = owner_api.get(f"/schedules/{mine}/preview").json["data"]

        assert preview(owner_api, schedule_id=mine)["load"]["others"] == 11
        assert stored["load"]["others"] == 11

    def test_knows_how_long_the_line_is(self, viewer_api: Caller, database: OpenDatabase, clock: ManualClock, job: Job):
        add_worker(database, clock, slots=8)
        add_run(database, job, clock, seconds=90)
        add(database, job, 38, cron="0 0 * * *")

        load = preview(viewer_api)["load"]

        assert load["text"] == (
            "38 other schedules start at 00:00, and 8 run at once: yours would start about 6 min late."
        )
        assert (load["slots"], load["late_seconds"]) == (8, 360.0)

    def test_fewer_than_run_at_once_are_no_load(
        self, viewer_api: Caller, database: OpenDatabase, clock: ManualClock, job: Job
    ):
        add_worker(database, clock, slots=4)
        add(database, job, 4, cron="0 0 * * *")

        assert preview(viewer_api)["load"] is None

    def test_counts_nothing_of_other_organizations(
        self, viewer_api: Caller, stranger_api: Caller, database: OpenDatabase, job: Job
    ):
        add(database, job, 38, cron="0 0 * * *")

        assert preview(stranger_api)["load"] is None
        assert preview(viewer_api)["load"]["others"] == 38

    def test_counts_exactly_on_the_night_that_the_clocks_change(
        self, viewer_api: Caller, database: OpenDatabase, clock: ManualClock, job: Job
    ):
        clock.moment = utc("2027-03-14 00:00")
        add(database, job, 12, cron="30 2 * * *", timezone="America/New_York")

        # 02:30 does not exist: they run at 03:00, which is 07:00 UTC.
        load = preview(viewer_api, cron="0 7 14 3 *")["load"]

        assert (load["others"], load["at"]) == (12, "2027-03-14T07:00:00Z")


class TestTwins:
    def test_names_the_schedule_that_means_the_same(self, viewer_api: Caller, database: OpenDatabase, job: Job):
        add(database, job, 1, cron="@daily", name="Nightly")
        add(database, job, 1, cron="0 0 * * *", name="In Riga", timezone="Europe/Riga")

        found = preview(viewer_api, job_id=str(job.id), cron="0 0 * * 0-6")

        assert found["twin_note"] == "This job has the same times already: “Nightly”. Both would start it."
        assert [twin["name"] for twin in found["twins"]] == ["Nightly"]

    def test_another_job_may_have_the_same_times(self, viewer_api: Caller, database: OpenDatabase, job: Job):
        add(database, job, 1, cron="0 0 * * *")
        with database.transaction() as session:
            other = make_job(session, viewer_api.organization_id, name="Other").id

        assert preview(viewer_api, job_id=str(other))["twins"] == []

    def test_a_schedule_is_no_twin_of_itself(self, owner_api: Caller, job: Job):
        body = {"name": "Mine", "job_id": str(job.id), "cron": "0 0 * * *", "timezone": "UTC"}
        mine = owner_api.post("/schedules", body).json["data"]["id"]

        assert preview(owner_api, schedule_id=mine)["twins"] == []

    def test_saving_it_is_not_refused_but_said(self, owner_api: Caller, database: OpenDatabase, job: Job):
        add(database, job, 1, cron="@daily", name="Nightly", enabled=False)

        body = {"name": "Mine", "job_id": str(job.id), "cron": "0 0 * * *", "timezone": "UTC"}
        made = owner_api.post("/schedules", body)
        moved = owner_api.patch(f"/schedules/{made.json['data']['id']}", {"cron": "7 0 * * *"})

        assert made.status_code == 201
        assert "“Nightly” (switched off)" in made.json["message"]
        assert "message" not in moved.json


class TestConsequence:
    def test_says_how_many_runs_a_year_that_is_and_how_long_each_takes(
        self, viewer_api: Caller, database: OpenDatabase, clock: ManualClock, job: Job
    ):
        for seconds in (20, 21, 600):
            add_run(database, job, clock, seconds=seconds)

        assert preview(viewer_api, job_id=str(job.id))["consequence"] == "About 365 runs a year, ~21 s each"

    def test_warns_of_many_runs_with_what_they_take(
        self, viewer_api: Caller, database: OpenDatabase, clock: ManualClock, job: Job
    ):
        add_run(database, job, clock, seconds=40)

        found = preview(viewer_api, job_id=str(job.id), cron="* * * * *")

        assert found["notes"] == ["1,440 runs a day. Typical run takes 40 s."]


class TestFailing:
    def test_says_how_often_the_job_is_tried_and_when(self, owner_api: Caller, job: Job):
        body = {"name": "Mine", "job_id": str(job.id), "cron": "0 0 * * *", "timezone": "UTC"}
        made = owner_api.post("/schedules", body).json["data"]["id"]
        words = "It is tried 3 times: again after 5 s each time."

        said = [
            preview(owner_api, job_id=str(job.id))["if_it_fails"],
            preview(owner_api, schedule_id=made)["if_it_fails"],
            owner_api.get(f"/schedules/{made}/preview").json["data"]["if_it_fails"],
        ]

        assert all(each.startswith(words) and "00:00:05" in each for each in said)
        assert preview(owner_api)["if_it_fails"] is None


class TestWhatItTakes:
    def test_shows_twenty_runs_when_asked(self, viewer_api: Caller):
        assert len(preview(viewer_api, count=20)["next_runs"]) == 20

    def test_a_line_that_cannot_be_read_is_refused_at_its_field(self, viewer_api: Caller):
        refused = viewer_api.post(PATH, {"cron": "60 * * * *"})

        assert refused.status_code == 422
        assert refused.json["error"]["fields"] == [
            {"field": "cron", "message": "Minute 60 does not exist. Use 0 to 59."}
        ]

    @pytest.mark.parametrize("field", ["job_id", "schedule_id"])
    def test_jobs_and_schedules_of_others_are_not_there(
        self, stranger_api: Caller, database: OpenDatabase, job: Job, field: str
    ):
        with database.transaction() as session:
            schedule_id = make_schedule(session, job).id

        body = {"job_id": str(job.id), "schedule_id": str(schedule_id)}

        assert stranger_api.post(PATH, MIDNIGHT | {field: body[field]}).status_code == 404


def add_run(database: OpenDatabase, job: Job, clock: ManualClock, *, seconds: int) -> None:
    """A run that ended well and took so long."""
    with database.transaction() as session:
        run = session.get_one(Run, make_run(session, session.merge(job), now=clock.moment))
        run.state, run.started_at = "succeeded", clock.moment
        run.finished_at = clock.moment + timedelta(seconds=seconds)


def test_says_how_to_avoid_a_change_of_the_clocks(operator_api: Caller):
    body = {"cron": "30 2 * * *", "timezone": "America/New_York"}

    found = operator_api.post("/schedules/preview", body).json["data"]
    calm = operator_api.post("/schedules/preview", {"cron": "30 2 * * *", "timezone": "UTC"}).json["data"]

    assert found["ways_out"] == [
        {"cron": "30 3 * * *", "timezone": "America/New_York"},
        {"cron": "30 2 * * *", "timezone": "UTC"},
    ]
    assert any("your time" in note for note in found["viewer_notes"])
    assert calm["ways_out"] == []
