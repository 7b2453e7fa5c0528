"""`/admin/queue-runs` and `/admin/dead-letters`: runs by tab, causes, and stuck runs."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.api.resources import queue_bulk
from app.runs.queue_filter import QueueTab
from tests.api.conftest import Caller
from tests.factories.outcomes import make_failed, make_running
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

SECRET = "canary-of-an-output"


@pytest.fixture
def dead(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> list[UUID]:
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Ads", key=SECRET)
        errors = ["Meta (#17), call 1", "Meta (#17), call 2", "Meta (#190)"]
        return [make_failed(session, job, now=clock.moment, error=error, detail=SECRET) for error in errors]


@pytest.fixture
def stuck(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Orders")
        return make_running(session, job, now=clock.moment - timedelta(minutes=5), lines=[SECRET])


class TestRuns:
    @pytest.mark.parametrize("tab", list(QueueTab))
    def test_have_every_tab_and_no_outputs(
        self, admin_api: Caller, platform_api: Caller, dead: list[UUID], stuck: UUID, tab: str
    ) -> None:
        for caller in (admin_api, platform_api):
            answer = caller.get("/admin/queue-runs", tab=tab)

            assert answer.status_code == 200
            assert SECRET not in answer.text

    def test_come_in_pages(self, admin_api: Caller, dead: list[UUID]) -> None:
        whole = [run["id"] for run in admin_api.get("/admin/queue-runs", tab="dead").json["data"]]

        first = admin_api.get("/admin/queue-runs", tab="dead", limit=2).json
        rest = admin_api.get("/admin/queue-runs", tab="dead", limit=2, cursor=first["next"]).json

        assert [run["id"] for run in first["data"] + rest["data"]] == whole
        assert rest["next"] is None

    def test_of_one_cause_are_those_that_its_group_counts(self, admin_api: Caller, dead: list[UUID]) -> None:
        groups = admin_api.get("/admin/dead-letters/causes").json["data"]

        found = admin_api.get("/admin/queue-runs", tab="dead", cause=groups[0]["cause"]).json["data"]

        assert [group["runs"] for group in groups] == [2, 1]
        assert {run["id"] for run in found} == {str(each) for each in dead[:2]}

    def test_groups_of_everybody_tell_ones_own_part(
        self, platform_api: Caller, stranger_api: Caller, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            for caller, name, runs in ((platform_api, "Ours", 2), (stranger_api, "Theirs", 1)):
                job = make_job(session, caller.organization_id, name=name)
                for _ in range(runs):
                    make_failed(session, job, now=clock.moment)

        (group,) = platform_api.get("/admin/dead-letters/causes").json["data"]

        assert (group["runs"], group["own_runs"]) == (3, 2)
        assert (group["job_name"], group["other_jobs"]) == ("Ours", 1)
        matching = {"action": "remove", "matching": {"tab": "dead", "cause": group["cause"]}}
        bulk = platform_api.post("/admin/queue-runs/bulk-actions", matching).json["data"]
        assert bulk["total"] == group["own_runs"]

    @pytest.mark.parametrize("query", [{"tab": "x"}, {"cause": "x"}, {"job": "x"}, {"cursor": "x"}], ids=str)
    def test_refuse_what_they_cannot_read(self, admin_api: Caller, query: dict[str, str]) -> None:
        assert admin_api.get("/admin/queue-runs", **query).status_code == 422

    def test_are_for_admins(self, operator_api: Caller, stranger_api: Caller, dead: list[UUID]) -> None:
        assert operator_api.get("/admin/queue-runs").status_code == 403
        assert operator_api.get("/admin/dead-letters/causes").status_code == 403
        assert stranger_api.get("/admin/dead-letters/causes").json["data"] == []


class TestStuckRuns:
    def test_are_told_and_removed(self, admin_api: Caller, stuck: UUID) -> None:
        told = admin_api.get(f"/admin/queue-runs/{stuck}/stuck").json["data"]
        removed = admin_api.post(f"/admin/queue-runs/{stuck}/removal", {"retry": True}).json["data"]
        again = admin_api.post(f"/admin/queue-runs/{stuck}/removal")

        assert (told["is_stuck"], told["is_silent"], told["is_long"]) == (True, True, False)
        assert "It has run 5 min" in told["words"]
        assert removed["retry_id"] is not None
        assert again.status_code == 409
        listed = admin_api.get("/admin/queue-runs", tab="removed").json["data"]
        assert [(run["id"], run["retried_by_run_id"]) for run in listed] == [(str(stuck), removed["retry_id"])]

    def test_are_everybodys_for_platform_admins(self, platform_api: Caller, stranger_api: Caller, stuck: UUID) -> None:
        assert stranger_api.get(f"/admin/queue-runs/{stuck}/stuck").status_code == 404
        assert stranger_api.post(f"/admin/queue-runs/{stuck}/removal").status_code == 404
        assert platform_api.post(f"/admin/queue-runs/{stuck}/removal").json["data"]["retry_id"] is None

    def test_one_that_waits_is_none(
        self, database: OpenDatabase, admin_api: Caller, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_run(session, make_job(session, organization_id), now=clock.moment)

        assert admin_api.get(f"/admin/queue-runs/{run_id}/stuck").status_code == 404
        assert admin_api.post(f"/admin/queue-runs/{run_id}/removal").status_code == 409


class TestFigures:
    def test_tell_depth_and_waits(self, admin_api: Caller, dead: list[UUID], stuck: UUID) -> None:
        found = next(one for one in admin_api.get("/admin/queues").json["data"] if one["name"] == "code")

        assert (len(found["depth"]), found["slots"], found["is_cut"]) == (60, 0, False)
        assert (found["wait_p50_seconds"], found["wait_p95_seconds"]) == (0.0, 0.0)


class TestBulkActions:
    def test_retry_what_matches(self, admin_api: Caller, dead: list[UUID]) -> None:
        body = {"action": "retry", "matching": {"tab": "dead", "q": "call"}}

        found = admin_api.post("/admin/queue-runs/bulk-actions", body).json["data"]

        left = admin_api.get("/admin/queue-runs", tab="dead").json["data"]
        assert (found["total"], found["done"]) == (2, 2)
        assert [run["id"] for run in left] == [str(dead[2])]

    def test_say_what_is_left_where_more_match(
        self, admin_api: Caller, dead: list[UUID], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queue_bulk, "MOST_OBJECTS", 1)

        answer = admin_api.post("/admin/queue-runs/bulk-actions", {"action": "retry", "matching": {"tab": "dead"}})

        assert answer.json["data"]["total"] == 1
        assert "2 more match and are left as they are" in answer.json["message"]

    def test_remove_what_is_named(self, admin_api: Caller, dead: list[UUID]) -> None:
        body = {"action": "remove", "ids": [str(dead[0])], "reason": "Nobody needs it"}

        admin_api.post("/admin/queue-runs/bulk-actions", body)

        listed = admin_api.get("/admin/queue-runs", tab="removed").json["data"]
        assert [run["id"] for run in listed] == [str(dead[0])]

    @pytest.mark.parametrize(
        "body",
        [
            {"action": "retry"},
            {"action": "retry", "ids": [], "matching": {}},
            {"action": "retry", "ids": []},
            {"action": "retry", "matching": {"cause": "x"}},
            {"action": "retry", "matching": {}},
            {"action": "retry", "matching": {"q": " "}},
            {"action": "retry", "matching": {"tab": "dead", "q": "\u200b"}},
            {"action": "retry", "matching": {"tab": "dead", "queue": "\x00"}},
            {"action": "remove", "matching": {"tab": "waiting", "cause": "0f0497af5c9745f2"}},
            {"action": "retry", "matching": {"tab": "on-fire"}},
            {"action": "pause", "matching": {}},
        ],
        ids=str,
    )
    def test_refuse_what_is_unclear(self, admin_api: Caller, dead: list[UUID], body: dict[str, object]) -> None:
        assert admin_api.post("/admin/queue-runs/bulk-actions", body).status_code == 422

    def test_say_which_part_cannot_be_read(self, admin_api: Caller, dead: list[UUID]) -> None:
        body = {"action": "retry", "matching": {"tab": "waiting", "cause": "0f0497af5c9745f2"}}

        error = admin_api.post("/admin/queue-runs/bulk-actions", body).json["error"]

        assert "Only dead letters have a cause." in error["message"]
        assert [one["field"] for one in error["fields"]] == ["matching.cause"]

    def test_ask_for_the_number_to_remove_over_a_hundred(
        self, database: OpenDatabase, admin_api: Caller, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            for _ in range(101):
                make_failed(session, job, now=clock.moment)
        body = {"action": "remove", "matching": {"tab": "dead"}}

        refused = admin_api.post("/admin/queue-runs/bulk-actions", body)
        accepted = admin_api.post("/admin/queue-runs/bulk-actions", body | {"count": 101})

        assert refused.status_code == 422
        assert "101" in refused.json["error"]["message"]
        assert accepted.status_code == 201

    def test_leave_runs_of_others_alone(self, stranger_api: Caller, admin_api: Caller, dead: list[UUID]) -> None:
        found = stranger_api.post("/admin/queue-runs/bulk-actions", {"action": "remove", "ids": [str(dead[0])]}).json

        assert (found["data"]["done"], found["data"]["refused"]) == (0, 1)
        assert len(admin_api.get("/admin/queue-runs", tab="dead").json["data"]) == 3
