"""`/workflows/{id}/schedule`: one schedule of one workflow, without its id."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.ids import new_id
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from tests.api.conftest import Caller
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

BODY = {"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"}


@pytest.fixture
def workflow(database: OpenDatabase, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Flow", kind=KindName.WORKFLOW)


@pytest.fixture
def path(workflow: Job) -> str:
    return f"/workflows/{workflow.id}/schedule"


class TestTheScheduleOfAWorkflow:
    def test_is_made_with_the_name_of_the_workflow(self, operator_api: Caller, path: str, audited):
        answer = operator_api.post(path, BODY)

        assert answer.status_code == 201
        assert (answer.json["data"]["name"], answer.json["data"]["cron"]) == ("Flow", "0 9 * * 1-5")
        assert audited() == ["schedule.created"]

    def test_is_the_one_of_the_list(self, operator_api: Caller, path: str, workflow: Job):
        made = operator_api.post(path, BODY | {"name": "Mornings"}).json["data"]

        assert operator_api.get(path).json["data"] == made
        assert operator_api.get("/schedules", workflow=workflow.id).json["data"] == [made]

    def test_is_one(self, operator_api: Caller, path: str):
        operator_api.post(path, BODY | {"name": "Mornings"})

        again = operator_api.post(path, BODY)

        assert again.status_code == 409
        assert "Mornings" in again.json["error"]["message"]

    def test_is_changed_by_what_is_sent(self, operator_api: Caller, path: str, audited):
        operator_api.post(path, BODY)

        answer = operator_api.patch(path, {"enabled": False, "version": 1})

        assert (answer.json["data"]["enabled"], answer.json["data"]["cron"]) == (False, "0 9 * * 1-5")
        assert operator_api.patch(path, {"enabled": True, "version": 1}).status_code == 409
        assert audited() == ["schedule.created", "schedule.edited"]

    def test_is_deleted(self, operator_api: Caller, path: str, audited):
        operator_api.post(path, BODY)

        answer = operator_api.delete(path)

        assert (answer.status_code, operator_api.get(path).status_code) == (200, 404)
        assert audited() == ["schedule.created", "schedule.deleted"]

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    def test_is_named_when_there_are_several(
        self, operator_api: Caller, database: OpenDatabase, workflow: Job, path: str, method: str
    ):
        with database.transaction() as session:
            for name in ("Mornings", "Evenings"):
                make_schedule(session, workflow, name=name, next_run_at=utc("2028-01-01"))

        answer = operator_api.open(method, path, **({"json": {"enabled": False}} if method == "PATCH" else {}))

        assert answer.status_code == 409
        assert "2 schedules: Evenings" in answer.json["error"]["message"]
        assert len(operator_api.get("/schedules", enabled="true").json["data"]) == 2

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    def test_may_be_missing(self, operator_api: Caller, path: str, method: str):
        answer = operator_api.open(method, path, **({"json": {}} if method == "PATCH" else {}))

        assert answer.status_code == 404
        assert answer.json["error"]["message"] == "This workflow is on no schedule. Make one with POST."

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"cron": "nonsense"}, "cron"),
            ({"timezone": "Mars"}, "timezone"),
            ({"name": ""}, "name"),
            ({"job_id": str(new_id())}, "job_id"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, operator_api: Caller, path: str, changes: dict[str, Any], field: str):
        answer = operator_api.post(path, BODY | changes)

        assert answer.status_code == 422
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == [field]

    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
    def test_is_nobody_elses(
        self, stranger_api: Caller, operator_api: Caller, path: str, database: OpenDatabase, method: str
    ):
        operator_api.post(path, BODY)
        more = {"json": {"POST": BODY, "PATCH": {}}[method]} if method in {"POST", "PATCH"} else {}

        foreign = stranger_api.open(method, path, **more)
        absent = stranger_api.open(method, f"/workflows/{uuid4()}/schedule", **more)

        assert foreign.status_code == 404
        assert foreign.json == absent.json

    def test_is_for_workflows_only(self, operator_api: Caller, database: OpenDatabase, organization_id: UUID):
        with database.transaction() as session:
            job = make_job(session, organization_id, name="Function", kind=KindName.CODE)

        assert operator_api.get(f"/workflows/{job.id}/schedule").status_code == 404
        assert operator_api.post(f"/workflows/{job.id}/schedule", BODY).status_code == 404
