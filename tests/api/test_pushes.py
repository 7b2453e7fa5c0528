"""Pushes over the API: a job whose definition says what goes into which tab of which spreadsheet."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.jobs.kinds.base import KindName
from app.jobs.kinds.sync.kind import SyncKind
from tests.api.conftest import Caller
from tests.factories.figures import make_connection
from tests.factories.work import make_organization
from tests.fakes.database import OpenDatabase
from tests.fakes.vault import SEALER


@pytest.fixture
def kinds(kinds: dict[KindName, Any]) -> dict[KindName, Any]:
    """Syncs as they are."""
    return kinds | {KindName.SYNC: SyncKind(SEALER, {})}


@pytest.fixture
def wanted(database: OpenDatabase, organization_id: UUID) -> dict[str, Any]:
    with database.transaction() as session:
        source = make_connection(session, organization_id).id
        sheet = make_connection(session, organization_id, name="KPIs", service="sheets", zone=None, currency=None).id
    plan = {"source": str(source), "level": "campaign", "metrics": ["spend"], "tab": "Spend"}
    return {"service": "sheets", "connection_id": str(sheet), "push": plan}


def make(caller: Caller, definition: dict[str, Any]) -> Any:
    return caller.post("/jobs", {"name": "Push spend", "kind": "sync", "definition": definition})


def test_is_made_with_what_was_not_said(admin_api: Caller, wanted: dict[str, Any]) -> None:
    made = make(admin_api, wanted)

    assert made.status_code == 201, made.json
    said = made.json["data"]["definition"]
    assert said == {**wanted, "push": {**wanted["push"], "grain": "day", "days": 90}}


def test_is_changed(admin_api: Caller, wanted: dict[str, Any]) -> None:
    job = make(admin_api, wanted).json["data"]["id"]
    other = {**wanted, "push": {**wanted["push"], "days": 7}}

    changed: Any = admin_api.patch(f"/jobs/{job}", {"definition": other})

    assert (changed.status_code, changed.json["data"]["definition"]["push"]["days"]) == (200, 7)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"push": None}, "push"),
        ({"push": {"tab": "x"}}, "push.source"),
        ({"streams": ["account"]}, "streams"),
        ({"connection_id": None}, "connection_id"),
        ({"connection_id": str(uuid4())}, "connection_id"),
    ],
)
def test_names_what_is_wrong(admin_api: Caller, wanted: dict[str, Any], changed: dict[str, Any], field: str) -> None:
    answer = make(admin_api, wanted | changed)

    assert answer.status_code == 422
    assert field in [one["field"] for one in answer.json["error"]["fields"]]


def test_refuses_the_tab_of_another_push(admin_api: Caller, wanted: dict[str, Any]) -> None:
    make(admin_api, wanted)

    answer: Any = admin_api.post("/jobs", {"name": "Second", "kind": "sync", "definition": wanted})

    (wrong,) = answer.json["error"]["fields"]
    assert (answer.status_code, wrong["field"]) == (422, "push.tab")
    assert "“Push spend” pushes to the tab “Spend”" in wrong["message"]


def test_pushes_nothing_of_somebody_else(database: OpenDatabase, admin_api: Caller, wanted: dict[str, Any]) -> None:
    with database.transaction() as session:
        foreign = str(make_connection(session, make_organization(session, "Other")).id)

    answer = make(admin_api, {**wanted, "push": {**wanted["push"], "source": foreign}})

    assert (answer.status_code, answer.json["error"]["fields"][0]["field"]) == (422, "push.source")


def test_is_not_for_viewers(viewer_api: Caller, wanted: dict[str, Any]) -> None:
    assert make(viewer_api, wanted).status_code == 403
