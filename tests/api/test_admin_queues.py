"""`/admin/queues`: an organization's admins steer their own runs, platform admins see everybody's and pause queues."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.ids import new_id
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.tenants.roles import Role
from tests.api.conftest import Caller, OpenApi
from tests.factories.outcomes import make_failed, make_running
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

SECRET = "canary-of-an-output"


@pytest.fixture
def job(database: OpenDatabase, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Orders")


@pytest.fixture
def ready(database: OpenDatabase, job: Job, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return make_run(session, job, now=clock.moment)


@pytest.fixture
def running(database: OpenDatabase, job: Job, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return make_running(session, job, now=clock.moment, lines=[SECRET])


@pytest.fixture
def failed(database: OpenDatabase, job: Job, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return make_failed(session, job, now=clock.moment, detail=SECRET)


@pytest.fixture
def foreign(database: OpenDatabase, stranger_api: Caller, clock: ManualClock) -> UUID:
    """A failed run of another organization."""
    with database.transaction() as session:
        job = make_job(session, stranger_api.organization_id, name="Theirs")
        return make_failed(session, job, now=clock.moment)


def order(action: str, *run_ids: UUID) -> dict[str, Any]:
    return {"action": action, "jobIds": [str(run_id) for run_id in run_ids]}


def queue_of(caller: Caller, name: str) -> dict[str, Any]:
    return next(queue for queue in caller.get("/admin/queues").json["data"] if queue["name"] == name)


class TestTheList:
    def test_counts_the_runs_of_ones_own_organization(
        self, admin_api: Caller, ready: UUID, running: UUID, failed: UUID, foreign: UUID
    ):
        found = queue_of(admin_api, "code")

        assert {key: found[key] for key in ("waiting", "running", "retrying", "failed")} == {
            "waiting": 1,
            "running": 1,
            "retrying": 0,
            "failed": 1,
        }
        assert [queue["name"] for queue in admin_api.get("/admin/queues").json["data"]] == sorted(KindName)

    def test_counts_everybodys_for_platform_admins(self, platform_api: Caller, failed: UUID, foreign: UUID):
        assert queue_of(platform_api, "code")["failed"] == 2

    def test_is_for_admins(self, operator_api: Caller, open_api: OpenApi, organization_id: UUID):
        overseer = open_api(
            organization_id=organization_id, role=Role.VIEWER, email="overseer@example.com", is_platform_admin=True
        )

        assert operator_api.get("/admin/queues").status_code == 403
        assert operator_api.get("/admin/queues/code").status_code == 403
        # Whoever looks after the installation needs no role in the organization they happen to be in.
        assert overseer.get("/admin/queues").status_code == 200


class TestOneQueue:
    def test_shows_its_runs_and_no_outputs(self, platform_api: Caller, ready: UUID, running: UUID, failed: UUID):
        answer = platform_api.get("/admin/queues/code")

        shown = answer.json["data"]
        assert {run["id"]: run["state"] for run in shown["runs"]} == {
            str(ready): "ready",
            str(running): "running",
            str(failed): "failed",
        }
        assert (shown["name"], shown["failed"], shown["next"]) == ("code", 1, None)
        assert SECRET not in answer.text

    def test_shows_an_admin_their_own_runs_only(
        self, admin_api: Caller, platform_api: Caller, failed: UUID, foreign: UUID
    ):
        own, everybodys = (one.get("/admin/queues/code").json["data"]["runs"] for one in (admin_api, platform_api))

        assert [run["id"] for run in own] == [str(failed)]
        assert {run["id"] for run in everybodys} == {str(failed), str(foreign)}

    def test_comes_in_pages(self, admin_api: Caller, ready: UUID, running: UUID, failed: UUID):
        whole = admin_api.get("/admin/queues/code").json["data"]["runs"]

        first = admin_api.get("/admin/queues/code", limit=2).json["data"]
        rest = admin_api.get("/admin/queues/code", limit=2, cursor=first["next"]).json["data"]

        assert first["runs"] + rest["runs"] == whole
        assert rest["next"] is None

    def test_is_narrowed_to_a_state(self, admin_api: Caller, ready: UUID, failed: UUID):
        shown = admin_api.get("/admin/queues/code", state="failed").json["data"]

        assert [run["id"] for run in shown["runs"]] == [str(failed)]

    def test_may_be_unknown(self, admin_api: Caller):
        assert admin_api.get("/admin/queues/lunch").status_code == 404
        assert admin_api.post("/admin/queues/lunch", order("retry")).status_code == 404


class TestRetryingAndRemoving:
    def test_does_what_it_can_and_says_what_it_left(
        self, admin_api: Caller, ready: UUID, running: UUID, failed: UUID, audited
    ):
        answer = admin_api.post("/admin/queues/code", order("retry", failed, ready))

        (left,) = answer.json["skipped"]
        assert set(answer.json) == {"done", "skipped"}
        assert answer.json["done"] == [str(failed)]
        assert left == {
            "id": str(ready),
            "reason": "Only a failed run can be retried; this one has not started yet.",
        }
        assert audited() == ["run.retried"]

    def test_removes_what_waits_and_what_failed(
        self, admin_api: Caller, ready: UUID, running: UUID, failed: UUID, audited
    ):
        answer = admin_api.post("/admin/queues/code", order("remove", ready, running, failed))

        assert answer.json["done"] == [str(ready), str(failed)]
        assert [left["id"] for left in answer.json["skipped"]] == [str(running)]
        assert [run["id"] for run in admin_api.get("/admin/queues/code").json["data"]["runs"]] == [str(running)]
        assert audited() == ["run.removed", "run.removed"]

    def test_takes_an_id_that_is_given_twice_once(self, admin_api: Caller, failed: UUID):
        answer = admin_api.post("/admin/queues/code", order("retry", failed, failed))

        assert answer.json == {"done": [str(failed)], "skipped": []}

    @pytest.mark.parametrize("action", ["retry", "remove"])
    def test_does_nothing_when_one_id_is_somebody_elses(
        self, admin_api: Caller, failed: UUID, foreign: UUID, action: str, audited
    ):
        absent = uuid4()

        answer = admin_api.post("/admin/queues/code", order(action, failed, foreign))

        unknown = admin_api.post("/admin/queues/code", order(action, failed, absent))
        assert answer.status_code == unknown.status_code == 404
        assert answer.text.replace(str(foreign), "ID") == unknown.text.replace(str(absent), "ID")
        assert audited() == []

    def test_knows_no_run_of_another_queue(self, admin_api: Caller, failed: UUID):
        assert admin_api.post("/admin/queues/workflow", order("retry", failed)).status_code == 404

    def test_is_for_admins(self, operator_api: Caller, failed: UUID):
        assert operator_api.post("/admin/queues/code", order("retry", failed)).status_code == 403

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"action": "explode", "jobIds": []}, "action"),
            ({"jobIds": []}, "action"),
            ({"action": "retry", "jobIds": ["7"]}, "jobIds.0"),
            ({"action": "retry", "jobIds": "all"}, "jobIds"),
            ({"action": "retry", "jobIds": [], "force": True}, "force"),
            ({"action": "retry", "jobIds": [str(new_id()) for _ in range(1001)]}, "jobIds"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, admin_api: Caller, body: dict[str, Any], field: str):
        answer = admin_api.post("/admin/queues/code", body)

        assert answer.status_code == 422
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == [field]


class TestPausing:
    def test_is_said_by_name(self, platform_api: Caller, admin_api: Caller, audited):
        answer = platform_api.post("/admin/queues/code", order("pause"))

        shown = queue_of(admin_api, "code")
        assert answer.json == {"done": ["code"], "skipped": []}
        assert shown["is_paused"] is True
        assert shown["paused_by"].startswith("platform-api@example.com")
        assert audited() == ["queue.paused"]

    def test_ends_with_resume(self, platform_api: Caller, audited):
        platform_api.post("/admin/queues/code", order("pause"))

        answer = platform_api.post("/admin/queues/code", order("resume"))

        assert answer.json == {"done": ["code"], "skipped": []}
        assert queue_of(platform_api, "code")["is_paused"] is False
        assert audited() == ["queue.paused", "queue.resumed"]

    def test_says_that_there_was_nothing_to_do(self, platform_api: Caller):
        answer = platform_api.post("/admin/queues/code", order("resume"))

        assert answer.json == {"done": [], "skipped": [{"id": "code", "reason": "This queue is not paused."}]}

    def test_concerns_no_single_runs(self, platform_api: Caller, failed: UUID):
        answer = platform_api.post("/admin/queues/code", order("pause", failed))

        assert answer.status_code == 422
        assert answer.json["error"]["fields"][0]["field"] == "jobIds"

    @pytest.mark.parametrize("action", ["pause", "resume"])
    def test_is_for_platform_admins_alone(self, owner_api: Caller, action: str):
        assert owner_api.post("/admin/queues/code", order(action)).status_code == 403
        assert queue_of(owner_api, "code")["is_paused"] is False
