"""Cancelling a run, cutting its wait short and giving it up; progress; the policies of jobs."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from app.edge.runtime import EXTENSION
from app.runs.progress import Progress, write_progress
from tests.api.conftest import Caller
from tests.factories.outcomes import make_failed, make_running, make_waiting_retry
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

NEW = {"name": "New", "kind": "code", "definition": {"ends": "succeeded"}}


@pytest.fixture
def running(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return make_running(session, make_job(session, organization_id), now=clock.moment)


@pytest.fixture
def waiting(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        job, later = make_job(session, organization_id, name="Waiting"), clock.moment + timedelta(hours=1)
        return make_waiting_retry(session, job, now=clock.moment, ready_at=later)


class TestCancel:
    def test_of_a_running_run_says_that_it_is_not_over_yet(self, operator_api: Caller, running: UUID) -> None:
        answer = operator_api.post(f"/runs/{running}/cancel")

        shown = operator_api.get(f"/runs/{running}").json["data"]
        assert answer.json["data"] == {"is_over": False}
        assert (shown["state"], shown["can_cancel"]) == ("running", False)
        assert shown["cancel_requested_at"]

    def test_twice_is_a_conflict(self, operator_api: Caller, running: UUID) -> None:
        operator_api.post(f"/runs/{running}/cancel")

        assert operator_api.post(f"/runs/{running}/cancel").status_code == 409

    def test_is_not_for_viewers(self, viewer_api: Caller, running: UUID) -> None:
        assert viewer_api.post(f"/runs/{running}/cancel").status_code == 403


class TestAWaitForTheNextTry:
    @pytest.mark.parametrize("what", ["cancel", "give-up"])
    def test_that_somebody_ends_lets_those_start_that_wait_for_the_run(
        self, app: Flask, admin_api: Caller, waiting: UUID, what: str
    ) -> None:
        passes: list[str] = []
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], dispatch=lambda: passes.append("a pass"))

        admin_api.post(f"/runs/{waiting}/{what}")

        assert passes == ["a pass"]

    def test_is_cut_short(self, admin_api: Caller, waiting: UUID) -> None:
        assert admin_api.post(f"/runs/{waiting}/retry-now").status_code == 200

        assert admin_api.get(f"/runs/{waiting}").json["data"]["state"] == "ready"
        assert admin_api.post(f"/runs/{waiting}/retry-now").status_code == 409

    def test_is_given_up(self, admin_api: Caller, waiting: UUID) -> None:
        admin_api.post(f"/runs/{waiting}/give-up")

        shown = admin_api.get(f"/runs/{waiting}").json["data"]
        assert (shown["state"], shown["reason"], shown["can_retry"]) == ("failed", "given_up", True)

    def test_is_not_for_operators(self, operator_api: Caller, waiting: UUID) -> None:
        statuses = [operator_api.post(f"/runs/{waiting}/{what}").status_code for what in ("retry-now", "give-up")]

        assert statuses == [403, 403]


def test_a_run_tells_how_far_it_has_come(viewer_api: Caller, database: OpenDatabase, running: UUID) -> None:
    with database.transaction() as session:
        write_progress(session, run_id=running, token=1, progress=Progress(3, 4, "Orders"))

    shown = viewer_api.get(f"/runs/{running}").json["data"]

    assert shown["attempts"][0]["progress"] == {"done": 3, "total": 4, "percent": 75, "text": "Orders"}


class TestPoliciesOfAJob:
    def test_go_by_its_kind_unless_they_are_said(self, admin_api: Caller) -> None:
        made = admin_api.post("/jobs", NEW).json["data"]

        assert (made["retry_has_jitter"], made["retry_longest_delay_seconds"], made["retry_not_on"]) == (True, 3600, [])
        limits = [made[name] for name in ("priority", "queue", "soft_limit_seconds", "concurrency")]
        assert limits == ["normal", None, None, None]

    def test_are_changed_one_by_one(self, admin_api: Caller) -> None:
        made = admin_api.post("/jobs", NEW).json["data"]
        said = {"retry_not_on": ["job"], "priority": "low", "queue": "sync", "soft_limit_seconds": 60, "concurrency": 1}

        changed = admin_api.patch(f"/jobs/{made['id']}", said).json["data"]

        assert {name: changed[name] for name in said} == said
        assert changed["retry_has_jitter"] is True

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({"queue": "express"}, "queue"),
            ({"soft_limit_seconds": 600}, "soft_limit_seconds"),
            ({"retry_longest_delay_seconds": 4}, "retry_longest_delay_seconds"),
            ({"concurrency": 0}, "concurrency"),
            ({"priority": "urgent"}, "priority"),
        ],
    )
    def test_that_cannot_be_are_named(self, admin_api: Caller, said: dict[str, object], field: str) -> None:
        answer = admin_api.post("/jobs", NEW | said)

        assert answer.status_code in {400, 422}
        assert [one["field"] for one in answer.json["error"]["fields"]] == [field]


@pytest.mark.parametrize(("error", "is_known"), [("It answered 404 Not Found.", True), ("No orders today.", False)])
def test_a_failed_run_says_what_to_do_where_that_is_known(
    viewer_api: Caller,
    database: OpenDatabase,
    organization_id: UUID,
    clock: ManualClock,
    error: str,
    is_known: bool,
) -> None:
    with database.transaction() as session:
        run_id = make_failed(session, make_job(session, organization_id), now=clock.moment, error=error)

    advice = viewer_api.get(f"/runs/{run_id}").json["data"]["advice"]

    assert "Nothing is at this address." in advice if is_known else advice is None
