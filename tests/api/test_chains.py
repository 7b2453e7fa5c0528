"""`/jobs/{id}/chains` and `/runs/{id}/children`: what starts what."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.jobs.models import Job
from tests.api.conftest import Caller
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def jobs(database: OpenDatabase, organization_id: UUID) -> dict[str, UUID]:
    with database.transaction() as session:
        return {name: make_job(session, organization_id, name=name).id for name in ("Load", "Check", "Tell")}


def chain(api: Caller, job: UUID, then: UUID, **more: Any) -> Any:
    return api.post(f"/jobs/{job}/chains", {"outcome": "success", "then_job_id": str(then), **more})


class TestChains:
    def test_are_made_listed_and_removed(self, admin_api: Caller, jobs: dict[str, UUID]):
        made = chain(admin_api, jobs["Load"], jobs["Check"], parameters={"rows": 3}).json["data"]
        listed = admin_api.get(f"/jobs/{jobs['Load']}/chains").json["data"]

        removed = admin_api.delete(f"/jobs/{jobs['Load']}/chains/{made['id']}")

        assert listed == [made]
        assert made.items() >= {"outcome": "success", "then_job_name": "Check", "parameters": {"rows": 3}}.items()
        assert removed.json["message"] == "“Load” does not start “Check” any more."

    def test_that_go_round_are_refused_with_the_way(self, admin_api: Caller, jobs: dict[str, UUID]):
        chain(admin_api, jobs["Load"], jobs["Check"])
        chain(admin_api, jobs["Check"], jobs["Tell"], outcome="failure")

        answer = chain(admin_api, jobs["Tell"], jobs["Load"])

        message = "Tell → Load → Check → Tell would start itself for ever. Choose another job."
        assert answer.status_code == 422
        assert answer.json["error"]["fields"] == [{"field": "then_job_id", "message": message}]

    def test_onto_nothing_are_not_found(self, admin_api: Caller, jobs: dict[str, UUID]):
        assert chain(admin_api, jobs["Load"], uuid4()).status_code == 404
        assert admin_api.get(f"/jobs/{uuid4()}/chains").status_code == 404

    def test_of_the_same_end_twice_are_a_conflict(self, admin_api: Caller, jobs: dict[str, UUID]):
        chain(admin_api, jobs["Load"], jobs["Check"])

        assert chain(admin_api, jobs["Load"], jobs["Check"]).status_code == 409

    def test_with_parameters_that_do_not_fit_are_refused_at_the_field(self, admin_api: Caller, jobs: dict[str, UUID]):
        answer = chain(admin_api, jobs["Load"], jobs["Check"], parameters={"rows": "three"})

        assert [at["field"] for at in answer.json["error"]["fields"]] == ["parameters"]

    def test_are_seen_by_viewers_and_made_by_admins(
        self, viewer_api: Caller, operator_api: Caller, jobs: dict[str, UUID]
    ):
        assert viewer_api.get(f"/jobs/{jobs['Load']}/chains").json["data"] == []
        assert chain(operator_api, jobs["Load"], jobs["Check"]).status_code == 403


class TestRunsAroundARun:
    def test_children_are_listed_by_name_and_say_who_started_them(
        self, viewer_api: Caller, jobs: dict[str, UUID], database: OpenDatabase, clock: ManualClock
    ):
        parent = family(database, jobs, clock, parent=True)

        answer = viewer_api.get(f"/runs/{parent}/children").json
        first = viewer_api.get(f"/runs/{parent}/children", limit=1).json

        stand = [(row["job_name"], row["state"]) for row in answer["data"]]
        assert stand == [("Check", "succeeded"), ("Tell", "failed")]
        assert {row["parent_run_id"] for row in answer["data"]} == {str(parent)}
        assert (len(first["data"]), bool(first["next"])) == (1, True)

    def test_a_run_says_which_runs_its_end_started(
        self, viewer_api: Caller, jobs: dict[str, UUID], database: OpenDatabase, clock: ManualClock
    ):
        cause = family(database, jobs, clock, parent=False)

        started = viewer_api.get(f"/runs/{cause}").json["data"]["started_run_ids"]

        assert len(started) == 2
        assert viewer_api.get(f"/runs/{started[0]}").json["data"]["cause_run_id"] == str(cause)

    def test_those_of_somebody_else_are_not_found(
        self, stranger_api: Caller, jobs: dict[str, UUID], database: OpenDatabase, clock: ManualClock
    ):
        parent = family(database, jobs, clock, parent=True)

        assert stranger_api.get(f"/runs/{parent}/children").status_code == 404


def family(database: OpenDatabase, jobs: dict[str, UUID], clock: ManualClock, *, parent: bool) -> UUID:
    """A run with two others around it: its children, or what its end started."""
    with database.transaction() as session:
        load, check, tell = (session.get_one(Job, jobs[name]) for name in ("Load", "Check", "Tell"))
        first = make_run(session, load, now=clock.moment)
        related = {"parent_run_id" if parent else "cause_run_id": first}
        make_failed(session, tell, now=clock.moment, **related)
        make_succeeded(session, check, now=clock.moment, **related)
        return first
