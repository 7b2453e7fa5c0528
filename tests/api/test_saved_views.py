"""`/views`: lists that were narrowed and named."""

from typing import Any

import pytest

from app.tenants.saved_views import MOST_VIEWS
from tests.api.conftest import Caller

FAILED = {"list": "runs", "name": "Failed today", "query": {"state": "failed", "last": "24h"}}


def names(caller: Caller, **query: str) -> list[str]:
    return [one["name"] for one in caller.get("/views", **query).json["data"]]


def test_are_made_and_told(viewer_api: Caller) -> None:
    made = viewer_api.post("/views", FAILED).json["data"]

    assert (made["query"], made["is_shared"]) == ({"state": "failed", "last": "24h"}, False)
    assert viewer_api.get(f"/views/{made['id']}").json["data"] == made


def test_are_ones_own_and_those_of_the_organization(viewer_api: Caller, operator_api: Caller) -> None:
    operator_api.post("/views", FAILED | {"name": "Own"})
    operator_api.post("/views", FAILED | {"name": "Of all", "is_shared": True})
    operator_api.post("/views", {"list": "schedules", "name": "Broken", "query": {"tag": "x"}, "is_shared": True})

    assert names(viewer_api) == ["Of all", "Broken"]
    assert names(operator_api, list="runs") == ["Of all", "Own"]
    assert viewer_api.post("/views", FAILED | {"is_shared": True}).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [{"query": {}}, {"query": {"page": "2"}}, {"query": {"status": "failing"}}, {"list": "jobs"}, {"name": ""}],
)
def test_refuse_what_narrows_nothing(viewer_api: Caller, wrong: dict[str, Any]) -> None:
    assert viewer_api.post("/views", FAILED | wrong).status_code == 422


def test_keep_times_as_instants(viewer_api: Caller) -> None:
    times = {"since": "2027-03-15T12:30+02:00", "until": "2027-03-15T11:30:05Z"}

    made = viewer_api.post("/views", FAILED | {"query": times})
    refused = viewer_api.post("/views", FAILED | {"name": "Odd", "query": {"since": "2027-03-15T12:30"}})

    assert made.json["data"]["query"] == {"since": "2027-03-15T10:30Z", "until": "2027-03-15T11:30:05Z"}
    assert refused.status_code == 422
    assert "is no instant" in refused.text


def test_are_renamed_and_deleted(viewer_api: Caller) -> None:
    path = f"/views/{viewer_api.post('/views', FAILED).json['data']['id']}"

    renamed = viewer_api.open("PATCH", path, json={"name": "Failed"}).json["data"]

    assert renamed["name"] == "Failed"
    assert viewer_api.delete(path).status_code == 200
    assert viewer_api.get(path).status_code == 404


def test_are_so_many_at_most(viewer_api: Caller) -> None:
    for number in range(MOST_VIEWS):
        viewer_api.post("/views", FAILED | {"name": f"View {number}"})

    answer = viewer_api.post("/views", FAILED)

    assert answer.status_code == 409
    assert f"There are {MOST_VIEWS} such views already" in answer.text
