"""`/audit`: the page's list for programs, page by page and as CSV."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.tenants.audit import record
from app.tenants.platform import acting_for_the_installation
from tests.api.conftest import Caller, OpenApi
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

Note = Callable[..., None]


@pytest.fixture
def note(database: OpenDatabase, clock: ManualClock) -> Note:
    """Writes an entry."""

    def write(caller: Caller, action: str = "job.revised", **more: Any) -> None:
        facts: dict[str, Any] = {"subject_kind": "job", "subject_id": None, "summary": "Did something"}
        with database.transaction() as session:
            record(session, actor=caller.actor, action=action, **facts | {"now": clock.moment} | more)

    return write


def summaries(caller: Caller, path: str = "/audit", **query: Any) -> list[str]:
    return [one["summary"] for one in caller.get(path, **query).json["data"]]


class TestTheList:
    def test_tells_who_did_what_from_what_to_what(
        self, admin_api: Caller, database: OpenDatabase, organization_id: UUID
    ):
        with database.transaction() as session:
            job_id = make_job(session, organization_id, name="Load").id
        admin_api.patch(f"/jobs/{job_id}", {"tries": 5})

        found = admin_api.get("/audit").json["data"][0]

        assert found["by"] == f"{admin_api.actor.label} (token Tests)"
        assert (found["by_kind"], found["done"], found["subject_id"]) == ("token", "Changed a job", str(job_id))
        assert found["changes"] == [{"field": "tries", "before": 3, "after": 5, "words": "tries: 3 → 5"}]

    def test_comes_page_by_page(self, admin_api: Caller, note: Note, clock: ManualClock):
        for number in range(5):
            note(admin_api, summary=str(number), now=clock.moment - timedelta(seconds=number // 2))

        first = admin_api.get("/audit", limit=3, kind="job").json
        note(admin_api, summary="Later")
        second = admin_api.get("/audit", limit=3, kind="job", cursor=first["next"]).json

        found = [one["summary"] for one in first["data"] + second["data"]]
        assert (sorted(found), second["next"]) == (list("01234"), None)

    def test_is_narrowed_as_the_page_is(self, admin_api: Caller, owner_api: Caller, note: Note, clock: ManualClock):
        subject, before = uuid4(), clock.moment - timedelta(days=1)
        note(admin_api, "schedule.edited", summary="A", subject_kind="schedule", subject_id=subject, now=before)
        note(owner_api, "member.left", summary="B", subject_kind="user")

        assert summaries(admin_api, actor=admin_api.actor.label) == ["A"]
        assert summaries(admin_api, action="member") == summaries(admin_api, since=clock.moment.isoformat()) == ["B"]
        assert summaries(admin_api, subject=str(subject), kind="schedule", until=clock.moment.isoformat()) == ["A"]

    def test_refuses_what_it_cannot_read(self, admin_api: Caller):
        refused = admin_api.get("/audit", since="yesterday", subject="7", colour="red")

        assert refused.status_code == 422
        assert {one["field"] for one in refused.json["error"]["fields"]} == {"since", "subject", "colour"}

    def test_refuses_the_cursor_of_another_list(self, admin_api: Caller, note: Note):
        note(admin_api)
        note(admin_api)
        cursor = admin_api.get("/audit", limit=1).json["next"]

        assert admin_api.get("/audit", limit=1, kind="job", cursor=cursor).status_code == 422


class TestCsv:
    @pytest.mark.parametrize("way", [{"query_string": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
    def test_holds_all_that_matches(self, admin_api: Caller, note: Note, way: dict[str, Any]):
        for number in range(3):
            note(admin_api, summary=f"={number}")

        answer = admin_api.open("GET", "/audit", **way)

        assert answer.mimetype == "text/csv"
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert sorted(row["summary"] for row in rows) == ["'=0", "'=1", "'=2"]


class TestWhoMaySee:
    def test_is_up_to_role_and_scope(self, open_api: OpenApi, admin_api: Caller, operator_api: Caller):
        one = {"organization_id": admin_api.organization_id, "email": "narrow@example.com"}
        narrow = open_api(**one, scopes=("view", "manage_team"))

        assert admin_api.get("/audit").status_code == 200
        assert operator_api.get("/audit").status_code == 403
        assert "view_audit" in narrow.get("/audit").json["error"]["message"]

    def test_nobody_sees_what_was_done_elsewhere(self, admin_api: Caller, stranger_api: Caller, note: Note):
        subject = uuid4()
        note(admin_api, summary="Ours", subject_id=subject)

        assert "Ours" not in summaries(stranger_api)
        assert summaries(stranger_api, subject=str(subject)) == []
        assert "Ours" not in stranger_api.get("/audit", format="csv").text

    def test_the_installations_is_for_platform_admins(
        self, platform_api: Caller, owner_api: Caller, database: OpenDatabase, clock: ManualClock
    ):
        with database.transaction() as session:
            record(
                session, actor=acting_for_the_installation("command line"), action="queue.paused", now=clock.moment,
                subject_kind="queue", subject_id=None, summary="Paused the queue “sync”",
            )  # fmt: skip

        found = platform_api.get("/admin/audit").json["data"]

        assert [(one["summary"], one["by_kind"]) for one in found] == [("Paused the queue “sync”", "system")]
        assert "Paused the queue" in platform_api.get("/admin/audit", format="csv").text
        assert "Paused the queue “sync”" not in summaries(platform_api)
        assert owner_api.get("/admin/audit").status_code == 403
