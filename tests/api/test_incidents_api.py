"""`/incidents`."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.runs.causes import cause_of
from tests.api.conftest import Caller
from tests.factories.notifications import (
    make_channel,
    make_incident,
    make_incident_message,
    make_incident_thing,
)
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def path(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> str:
    """An open incident of a job whose last run failed."""
    at = clock.moment - timedelta(hours=1)
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Import")
        make_failed(session, job, now=clock.moment)
        incident = make_incident(session, organization_id, opened_at=at, last_at=at)
        make_incident_thing(session, incident, job.id, subject_kind="job", name="Import")
        make_incident_message(session, incident, make_channel(session, organization_id, name="#data"))
        return f"/incidents/{incident.id}"


def test_are_listed_and_narrowed(viewer_api: Caller, path: str) -> None:
    queries = ("", "?open=true", "?open=false", "?type=stuck", "?q=order", "?unassigned=true")

    found = [len(viewer_api.get(f"/incidents{query}").json["data"]) for query in queries]

    assert found == [1, 1, 0, 0, 1, 1]


def test_go_on_where_a_page_ended(viewer_api: Caller, database, organization_id: UUID, path: str) -> None:
    with database.transaction() as session:
        make_incident(session, organization_id, title="Older")

    first = viewer_api.get("/incidents?limit=1").json
    second = viewer_api.get(f"/incidents?limit=1&cursor={first['next']}").json

    assert [row["title"] for row in (*first["data"], *second["data"])] == ["Orders failed", "Older"]
    assert second["next"] is None


def test_show_their_parts(viewer_api: Caller, path: str) -> None:
    (entry,) = viewer_api.get(f"{path}/entries").json["data"]
    (thing,) = viewer_api.get(f"{path}/things").json["data"]
    (message,) = viewer_api.get(f"{path}/messages").json["data"]

    assert (entry["kind"], thing["name"], message["channel"]) == ("opened", "Import", "#data")
    assert (thing["is_in_trouble"], message["state"]) == (True, "sent")


def test_say_who_was_told(
    viewer_api: Caller, stranger_api: Caller, database, organization_id: UUID, clock: ManualClock, path: str
) -> None:
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Export")
        run_id = make_failed(session, job, now=clock.moment, error="boom")
        make_incident(session, organization_id, cause_key=f"job:{job.id}:{cause_of('boom')}", title="Export failed")
        good = make_succeeded(session, job, now=clock.moment)

    of_run = viewer_api.get(f"/runs/{run_id}/incident").json["data"]
    told, untold = (viewer_api.get(f"{one}/told").json["data"] for one in (path, f"/incidents/{of_run['id']}"))
    assert (of_run["title"], told["channels"][0]["channel"], told["channels"][0]["how"]) == (
        "Export failed", "#data", "told",
    )  # fmt: skip
    assert (untold["channels"], untold["why_nobody"]) == ([], "No rule is in use.")
    others = [stranger_api.get(f"/runs/{run_id}/incident"), stranger_api.get(f"{path}/told")]
    nothing = viewer_api.get(f"/runs/{good}/incident")
    assert [answer.status_code for answer in (*others, nothing)] == [404] * 3


def test_are_seen_to(operator_api: Caller, clock: ManualClock, path: str) -> None:
    until = (clock.moment + timedelta(hours=4)).isoformat()

    said = [operator_api.post(f"{path}/acknowledge").json["message"] for _ in range(2)]
    operator_api.put(f"{path}/snooze", {"until": until})
    operator_api.put(f"{path}/assignee", {"user_id": str(operator_api.actor.user_id)})
    found = operator_api.post(f"{path}/notes", {"text": "The shop is being moved."}).json["data"]

    assert said == ["Acknowledged. Nobody is reminded of it.", "Somebody had acknowledged it already."]
    assert (found["state"], found["assigned_to"]) == ("acknowledged", str(operator_api.actor.user_id))
    assert found["snoozed_until"] is not None
    kinds = {entry["kind"] for entry in operator_api.get(f"{path}/entries").json["data"]}
    assert kinds == {"opened", "acknowledged", "snoozed", "assigned", "noted"}


def test_are_waited_for_again(operator_api: Caller, path: str) -> None:
    operator_api.post(f"{path}/acknowledge")

    found = operator_api.delete(f"{path}/acknowledge").json["data"]

    assert (found["state"], found["acknowledged_by"]) == ("open", None)


def test_end_and_take_no_more(operator_api: Caller, path: str) -> None:
    closed = operator_api.post(f"{path}/close").json["data"]
    refused = operator_api.post(f"{path}/acknowledge")

    assert (closed["state"], closed["lasted_seconds"], refused.status_code) == ("closed", 3600, 409)


def test_refuse_what_cannot_be(operator_api: Caller, path: str) -> None:
    answers = [
        operator_api.put(f"{path}/snooze", {"until": "2000-01-01T00:00:00Z"}),
        operator_api.put(f"{path}/snooze", {}),
        operator_api.put(f"{path}/assignee", {"user_id": "0195a2f0-0000-7000-8000-000000000000"}),
        operator_api.post(f"{path}/notes", {"text": " "}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 404, 422]


def test_have_their_runs_retried(admin_api: Caller, path: str) -> None:
    begun = admin_api.post(f"{path}/retry")
    again = admin_api.post(f"{path}/retry")

    assert (begun.status_code, begun.json["data"]["action"], begun.json["data"]["done"]) == (201, "runs.retry", 1)
    assert again.status_code == 409


def test_are_nobody_elses_business(stranger_api: Caller, viewer_api: Caller, path: str) -> None:
    assert stranger_api.get(path).status_code == 404
    assert stranger_api.get(f"{path}/entries").status_code == 404
    assert viewer_api.post(f"{path}/acknowledge").status_code == 403
