"""`/admin/processes`: who does the work and whether all is well, and what a job says of lost workers."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.ids import new_id
from app.ops.heartbeats import ProcessFacts, beat
from tests.api.conftest import Caller
from tests.factories.outcomes import make_running
from tests.factories.work import load_run, make_job, make_organization
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

JOB = {"name": "Tidy up", "kind": "code", "definition": {"ends": "succeeded"}}


@pytest.fixture
def worker(database: OpenDatabase, clock: ManualClock) -> None:
    facts = ProcessFacts(new_id(), "tower:7", "1.0", 5, True, "tower", 7)
    with database.transaction() as session:
        # What it reported is not what it has in hand now.
        beat(session, facts, now=clock.moment, ticked_at=clock.moment, tick_ms=2, running=3)
        run_id = make_running(session, make_job(session, make_organization(session)), now=clock.moment)
        load_run(session, run_id).worker = "tower:7"


class TestProcesses:
    def test_say_where_they_are_and_what_they_have_in_hand(self, platform_api: Caller, worker: None):
        shown = platform_api.get("/admin/processes").json["data"]

        (process,) = shown["processes"]
        facts: dict[str, Any] = {"host": "tower", "pid": 7, "version": "1.0", "slots": 5, "running": 1, "tick_ms": 2}
        assert process.items() >= facts.items()
        assert (shown["is_well"], shown["problems"]) == (True, [])

    def test_that_serve_pages_stand_apart(
        self, platform_api: Caller, worker: None, database: OpenDatabase, clock: ManualClock
    ):
        facts = ProcessFacts(new_id(), "web-1:8", "1.1", 0, False, "web-1", 8)
        with database.transaction() as session:
            beat(session, facts, now=clock.moment, ticked_at=None, tick_ms=None, memory_mib=90)
        clock.moment += timedelta(seconds=31)

        shown = [platform_api.get(path).json["data"] for path in ("/admin/processes", "/admin/system")]

        expected: dict[str, Any] = {"host": "web-1", "pid": 8, "version": "1.1", "is_silent": True, "memory_mib": 90}
        assert [one["pages"][0].items() >= expected.items() for one in shown] == [True, True]
        assert [[process["pid"] for process in one["processes"]] for one in shown] == [[7], [7]]

    def test_say_when_all_is_not_well(self, platform_api: Caller, worker: None, clock: ManualClock):
        clock.moment += timedelta(seconds=301)

        shown = platform_api.get("/admin/processes").json["data"]

        assert shown["is_well"] is False
        assert shown["problems"][0].startswith("No scheduler has reported since 2027-01-05 12:00:00 UTC.")

    def test_are_for_platform_admins_alone(self, owner_api: Caller):
        assert owner_api.get("/admin/processes").status_code == 403


class TestJobs:
    def test_say_what_follows_a_lost_worker(self, owner_api: Caller):
        made = owner_api.post("/jobs", JOB | {"when_lost": "retry"}).json["data"]

        changed = owner_api.patch(f"/jobs/{made['id']}", {"when_lost": "fail"}).json["data"]

        assert (made["when_lost"], changed["when_lost"]) == ("retry", "fail")

    def test_go_by_their_kind_unless_told_otherwise(self, owner_api: Caller):
        assert owner_api.post("/jobs", JOB).json["data"]["when_lost"] == "kind"

    def test_take_no_other_word(self, owner_api: Caller):
        assert owner_api.post("/jobs", JOB | {"when_lost": "panic"}).status_code == 422
