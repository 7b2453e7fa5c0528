"""`/connections/{id}/streams`."""

from datetime import date
from uuid import UUID

import pytest

from app.jobs.kinds.base import KindName
from app.syncs.models import StreamState
from tests.api.conftest import Caller
from tests.factories.figures import make_connection
from tests.factories.work import make_job
from tests.fakes.database import OpenDatabase


@pytest.fixture
def path(database: OpenDatabase, organization_id: UUID) -> str:
    with database.transaction() as session:
        connection = make_connection(session, organization_id)
        here = {"organization_id": organization_id, "connection_id": connection.id}
        session.add(
            StreamState(name="campaigns", level="campaign", high_water=date(2026, 11, 19), doubt="volume", **here)
        )
        job = make_job(session, organization_id, kind=KindName.SYNC)
        job.service, job.definition = "meta", {"service": "meta", "connection_id": str(connection.id)}
        return f"/connections/{connection.id}"


def test_are_listed_with_their_promise(operator_api: Caller, viewer_api: Caller, path: str) -> None:
    promised = operator_api.put(f"{path}/streams/campaigns/promise", {"by": "07:00"})

    (stream,) = viewer_api.get(f"{path}/streams").json["data"]
    assert (promised.status_code, promised.json["data"]) == (200, stream)
    assert (stream["data_through"], stream["promised_by"], stream["freshness"]) == ("2026-11-19", "07:00", "stale")
    assert (stream["doubt"], stream["doubt_in_words"][:19]) == ("volume", "Far more or fewer f")


def test_are_called_normal(operator_api: Caller, path: str) -> None:
    said = [operator_api.post(f"{path}/streams/campaigns/normal").json for _ in range(2)]

    assert [one["data"]["doubt"] for one in said] == [None, None]
    assert [one["message"] for one in said] == [
        "It counts as normal. Sync again to land it as it is now.", "Nothing was in doubt.",
    ]  # fmt: skip


def test_are_synced_again(operator_api: Caller, path: str) -> None:
    made = operator_api.post(f"{path}/sync")

    run = operator_api.get(f"/runs/{made.json['data']['run_id']}").json["data"]
    assert (made.status_code, run["state"], run["trigger"]) == (201, "ready", "manual")


def test_refuse_what_is_no_time(operator_api: Caller, path: str) -> None:
    refused = operator_api.put(f"{path}/streams/campaigns/promise", {"by": "late"})

    assert (refused.status_code, refused.json["error"]["fields"][0]["field"]) == (422, "by")


def test_are_nobody_elses_business(stranger_api: Caller, viewer_api: Caller, path: str) -> None:
    assert stranger_api.get(f"{path}/streams").status_code == 404
    assert viewer_api.post(f"{path}/sync").status_code == 403
