"""`/jobs/{id}`, its policies in words, and `/jobs/{id}/changes`: from what to what."""

from typing import Any
from uuid import UUID

import pytest

from app.jobs.kinds.base import KindName
from app.jobs.kinds.sync.kind import SyncKind
from app.schedules.defaults import find_default, give_default_schedules
from tests.api.conftest import Caller
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.vault import SEALER


@pytest.fixture
def kinds(kinds: dict[KindName, Any]) -> dict[KindName, Any]:
    """Syncs as they are."""
    return kinds | {KindName.SYNC: SyncKind(SEALER, {})}


@pytest.fixture
def job(database: OpenDatabase, organization_id: UUID) -> UUID:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Load").id


@pytest.fixture
def sync(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        give_default_schedules(session, organization_id=organization_id, now=clock.moment)
    with database.reading() as session:
        return find_default(session, organization_id=organization_id, service="ga4").job_id


class TestPolicies:
    def test_are_said_in_words(self, admin_api: Caller, job: UUID):
        admin_api.patch(f"/jobs/{job}", {"retry_not_on": ["rate_limited"], "soft_limit_seconds": 30, "concurrency": 2})

        assert admin_api.get(f"/jobs/{job}").json["data"]["policies_in_words"][1:] == [
            "It is not tried again after: refused credential, rate limited.",
            "When its worker is lost in the middle, it is tried again while tries are left.",
            "A try is ended after 1 min, with all that it started.",
            "One that takes longer than 30 s is marked, and goes on.",
            "Its runs wait in the queue “code” with normal priority; at most 2 go on at once.",
        ]

    def test_of_a_sync_are_set_like_those_of_others(self, admin_api: Caller, sync: UUID):
        before = admin_api.get(f"/jobs/{sync}").json["data"]

        after = admin_api.patch(f"/jobs/{sync}", {"tries": 2, "priority": "high", "time_limit_seconds": 60})

        names = ("tries", "retry_delay_seconds", "retry_backoff")
        assert [before[name] for name in names] == [3, 600, "fixed"]
        assert (after.status_code, after.json["data"]["tries"], after.json["data"]["priority"]) == (200, 2, "high")
        assert after.json["data"]["definition"] == {"service": "ga4"}

    def test_are_all_that_is_set_of_a_sync(self, admin_api: Caller, sync: UUID):
        changed = admin_api.patch(f"/jobs/{sync}", {"definition": {"service": "meta"}})
        made = admin_api.post("/jobs", {"name": "Mine", "kind": "sync", "definition": {"service": "meta"}})

        assert (changed.status_code, made.status_code) == (422, 422)
        assert "keeps its service" in changed.json["error"]["message"]
        assert [one["field"] for one in made.json["error"]["fields"]] == ["connection_id"]


class TestChanges:
    def test_say_what_a_policy_was_and_is(self, admin_api: Caller, viewer_api: Caller, job: UUID):
        admin_api.patch(f"/jobs/{job}", {"tries": 5, "priority": "low", "queue": "sync", "when_lost": "fail"})

        found = viewer_api.get(f"/jobs/{job}/changes").json["data"]

        assert (found[0]["action"], found[0]["by"]) == ("job.revised", f"{admin_api.actor.label} (token Tests)")
        assert found[0]["changes"][0] == {"field": "tries", "before": 3, "after": 5, "words": "tries: 3 → 5"}
        assert found[0]["words"] == [
            "tries: 3 → 5",
            "when its worker is lost: as its kind says → it ends as lost",
            "queue: that of its kind → sync",
            "priority: normal → low",
        ]

    def test_never_show_what_a_definition_holds(self, admin_api: Caller, job: UUID):
        admin_api.patch(f"/jobs/{job}", {"definition": {"ends": "succeeded", "message": "canary"}})

        answer = admin_api.get(f"/jobs/{job}/changes")

        assert answer.json["data"][0]["words"] == ["details of what it does: not kept → not kept"]
        assert "canary" not in answer.text

    def test_tell_of_chains(self, admin_api: Caller, database: OpenDatabase, organization_id: UUID, job: UUID):
        with database.transaction() as session:
            other = make_job(session, organization_id, name="Report").id
        draft = {"outcome": "success", "then_job_id": str(other), "parameters": {"rows": 3}}
        chain = admin_api.post(f"/jobs/{job}/chains", draft).json["data"]["id"]

        admin_api.delete(f"/jobs/{job}/chains/{chain}")

        removed, added = admin_api.get(f"/jobs/{job}/changes").json["data"][:2]
        assert added["words"] == ['starts: nothing → “Report” on success, with {"rows": 3}']
        assert removed["words"] == ['starts: “Report” on success, with {"rows": 3} → nothing']

    def test_come_page_by_page(self, admin_api: Caller, job: UUID):
        for tries in (4, 5, 6):
            admin_api.patch(f"/jobs/{job}", {"tries": tries})

        first = admin_api.get(f"/jobs/{job}/changes?limit=2").json
        second = admin_api.get(f"/jobs/{job}/changes?limit=2&cursor={first['next']}").json

        found = [one["changes"][0]["after"] for one in first["data"] + second["data"]]
        assert (found, second["next"]) == ([6, 5, 4], None)

    def test_are_nobodys_business_elsewhere(self, stranger_api: Caller, job: UUID):
        assert stranger_api.get(f"/jobs/{job}/changes").status_code == 404
