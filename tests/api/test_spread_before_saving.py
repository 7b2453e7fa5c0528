"""What H stands for: told before a schedule is saved, and the same once it is."""

from typing import Any

import pytest

from app.jobs.models import Job
from tests.api.conftest import Caller
from tests.factories.work import make_job
from tests.fakes.database import OpenDatabase

SPREAD = {"cron": "H H(0-6) * * *", "timezone": "Asia/Tokyo"}
OTHER_TIMES = {"cron": "H/20 9-17 * * 1-5"}
EXAMPLE = "H stands for times that are chosen when it is saved, so these are an example of them."


@pytest.fixture
def job(database: OpenDatabase, owner_api: Caller) -> Job:
    with database.transaction() as session:
        return make_job(session, owner_api.organization_id, name="Orders")


def preview(caller: Caller, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = caller.post("/schedules/preview", SPREAD | body).json["data"]
    return found


def make(caller: Caller, job: Job, **body: Any) -> dict[str, Any]:
    wanted = {"name": "Nightly", "job_id": str(job.id)} | SPREAD | body
    found: dict[str, Any] = caller.post("/schedules", wanted).json["data"]
    return found


def coming(caller: Caller, schedule: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(f"/schedules/{schedule['id']}/preview").json["data"]["next_runs"]
    return found


class TestOfANewSchedule:
    def test_is_what_saving_it_chooses(self, owner_api: Caller, job: Job):
        said = preview(owner_api, job_id=str(job.id), name=" Nightly")

        made = make(owner_api, job)

        assert (said["next_runs"], said["spread_key"]) == (coming(owner_api, made), made["spread_key"])
        assert said["notes"] == []

    def test_by_a_key_of_ones_own_is_what_saving_with_it_chooses(self, owner_api: Caller, job: Job):
        said = preview(owner_api, spread_key="mine")

        assert said["next_runs"] == coming(owner_api, make(owner_api, job, spread_key="mine"))

    def test_without_job_and_name_is_an_example_and_says_so(self, owner_api: Caller, job: Job):
        for body in ({}, {"job_id": str(job.id)}, {"name": "Nightly"}):
            said = preview(owner_api, **body)

            assert (said["spread_key"], said["notes"]) == (None, [EXAMPLE])

    def test_without_h_needs_no_such_note(self, owner_api: Caller):
        assert preview(owner_api, cron="0 6 * * THU")["notes"] == []

    def test_differs_from_name_to_name(self, owner_api: Caller, job: Job):
        keys = {preview(owner_api, job_id=str(job.id), name=name)["spread_key"] for name in ("One", "Two")}

        assert len(keys) == 2

    def test_is_said_to_be_an_example_by_the_check_of_a_line(self, owner_api: Caller):
        said = owner_api.post("/utils/validate-cron", SPREAD).json

        assert said["description"].endswith(EXAMPLE)


class TestOfAScheduleThatExists:
    def test_is_what_changing_it_chooses(self, owner_api: Caller, job: Job):
        made = make(owner_api, job)
        said = preview(owner_api, **OTHER_TIMES, schedule_id=made["id"])

        owner_api.patch(f"/schedules/{made['id']}", OTHER_TIMES | {"name": "Another name"})

        assert said["next_runs"] == coming(owner_api, made)

    def test_keeps_what_is_not_sent(self, owner_api: Caller, job: Job):
        made = make(owner_api, job, clock_change="skip", ends_at="2199-01-01T00:00:00Z")
        body = {"cron": "30 2 * * *", "schedule_id": made["id"]}

        said = owner_api.post("/schedules/preview", body).json["data"]

        assert said["timezone"] == "Asia/Tokyo"
        assert any(note.startswith("Ends on") for note in said["notes"])

    def test_refuses_another_key_which_saving_would_not_take(self, owner_api: Caller, job: Job):
        made = make(owner_api, job)

        refused = owner_api.post("/schedules/preview", SPREAD | {"schedule_id": made["id"], "spread_key": "other"})

        assert refused.json["error"]["fields"][0]["field"] == "spread_key"
