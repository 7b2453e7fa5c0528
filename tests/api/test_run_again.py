"""`POST /runs/{id}/again`: once more, with the same parameters or others."""

from uuid import UUID

import pytest

from app.runs.models import Run
from app.tenants.audit_masks import MASK
from tests.api.conftest import Caller
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def ended(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, arguments={"rows": 5, "pages": 1})
        run_id = make_succeeded(session, job, now=clock.moment)
        session.get_one(Run, run_id).definition = job.definition | {
            "arguments": {"rows": 7, "pages": 1},
            "chosen": {"rows": 7},
        }
        return run_id


def again(caller: Caller, run_id: UUID, body: object = None) -> dict[str, object]:
    new_id = caller.post(f"/runs/{run_id}/again", body).json["data"]["run_id"]
    shown: dict[str, object] = caller.get(f"/runs/{new_id}").json["data"]
    return shown


def test_takes_what_was_chosen_and_both_name_each_other(operator_api: Caller, ended: UUID) -> None:
    new = again(operator_api, ended)

    old = operator_api.get(f"/runs/{ended}").json["data"]
    assert (new["parameters"], new["again_of_run_id"]) == ({"rows": 7, "pages": 1}, str(ended))
    assert (old["again_run_ids"], old["can_run_again"]) == ([new["id"]], True)


def test_takes_others_in_their_place(operator_api: Caller, ended: UUID) -> None:
    assert again(operator_api, ended, {"parameters": {"pages": 3}})["parameters"] == {"rows": 5, "pages": 3}
    assert again(operator_api, ended, {"parameters": {}})["parameters"] == {"rows": 5, "pages": 1}


def test_refuses_what_does_not_fit(operator_api: Caller, ended: UUID) -> None:
    answer = operator_api.post(f"/runs/{ended}/again", {"parameters": {"rows": "many"}})

    assert answer.status_code == 422
    assert "whole number" in answer.text


def test_refuses_what_has_not_ended(
    operator_api: Caller, database: OpenDatabase, organization_id: UUID, clock: ManualClock
) -> None:
    with database.transaction() as session:
        run_id = make_run(session, make_job(session, organization_id), now=clock.moment)

    answer = operator_api.post(f"/runs/{run_id}/again")

    assert answer.status_code == 409
    assert "has not started yet" in answer.text


def test_is_no_way_around_what_is_for_platform_admins(
    operator_api: Caller, database: OpenDatabase, organization_id: UUID, clock: ManualClock
) -> None:
    with database.transaction() as session:
        job = make_job(session, organization_id, is_for_platform=True)
        run_id = make_failed(session, job, now=clock.moment)
        session.get_one(Run, run_id).definition = job.definition | {"arguments": {"rows": 7}, "chosen": {"rows": 7}}

    assert operator_api.post(f"/runs/{run_id}/again").status_code == 403
    assert operator_api.post(f"/runs/{run_id}/again", {"parameters": {}}).status_code == 201


def test_is_for_operators_of_the_organization(viewer_api: Caller, stranger_api: Caller, ended: UUID) -> None:
    assert viewer_api.post(f"/runs/{ended}/again").status_code == 403
    assert stranger_api.post(f"/runs/{ended}/again").status_code == 404


def test_shows_no_secret_among_the_parameters(viewer_api: Caller, database: OpenDatabase, ended: UUID) -> None:
    with database.transaction() as session:
        session.get_one(Run, ended).definition = {"ends": "succeeded", "arguments": {"api_key": "s3cr3t", "rows": 1}}

    assert "s3cr3t" not in viewer_api.get(f"/runs/{ended}").text


@pytest.fixture
def secretive(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, arguments={"rows": 5, "pin": 4711})
        return make_succeeded(session, job, now=clock.moment, result={"token": "t-1", "rows": 5})


def test_keeps_what_was_shown_masked(
    operator_api: Caller, viewer_api: Caller, database: OpenDatabase, secretive: UUID
) -> None:
    shown = viewer_api.get(f"/runs/{secretive}").json["data"]

    new = again(operator_api, secretive, {"parameters": shown["parameters"] | {"rows": 6}})

    assert shown["parameters"] == {"rows": 5, "pin": MASK} == new["parameters"] | {"rows": 5}
    with database.reading() as session:
        assert session.get_one(Run, UUID(str(new["id"]))).definition["arguments"] == {"rows": 6, "pin": 4711}


def test_refuses_a_mask_of_nothing(operator_api: Caller, secretive: UUID) -> None:
    answer = operator_api.post(f"/runs/{secretive}/again", {"parameters": {"rows": MASK}})

    assert answer.status_code == 422
    assert "stands for a value that is hidden" in answer.text


def test_of_a_secret_nothing_is_found_shown_or_returned(viewer_api: Caller, owner_api: Caller, secretive: UUID) -> None:
    run = viewer_api.get(f"/runs/{secretive}").json["data"]
    job = f"/jobs/{run['job_id']}"

    assert run["attempts"][0]["result"] == {"token": MASK, "rows": 5}
    assert [viewer_api.get("/runs", q=typed).json["data"] for typed in ("4711", "471")] == [[], []]
    assert viewer_api.get(job).json["data"]["definition"]["arguments"] == {"rows": 5, "pin": MASK}
    assert owner_api.get(job).json["data"]["definition"]["arguments"] == {"rows": 5, "pin": 4711}
