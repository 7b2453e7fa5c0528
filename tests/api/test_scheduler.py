"""`/scheduler`: seen, stopped and started by platform admins alone."""

from typing import Any
from uuid import UUID

import pytest

from app.core.clock_watch import ClockStep
from app.core.ids import new_id
from app.ops.heartbeats import ProcessFacts, beat
from app.runs import planner
from app.schedules.clock_steps import record_step
from tests.api.conftest import Caller, OpenApi
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

REASON = {"reason": "Moving to the new server"}


@pytest.fixture
def scheduler(database: OpenDatabase, clock: ManualClock) -> None:
    """A scheduler that has just ticked."""
    facts = ProcessFacts(new_id(), "tower:7", "1.0", slots=0, schedules=True)
    with database.transaction() as session:
        beat(session, facts, now=clock.moment, ticked_at=clock.moment, tick_ms=2)


def status_of(caller: Caller) -> dict[str, Any]:
    found: dict[str, Any] = caller.get("/scheduler/status").json["data"]
    return found


class TestTheScheduler:
    def test_runs_while_it_ticks(self, platform_api: Caller, scheduler: None):
        shown = status_of(platform_api)

        assert (shown["state"], shown["stop"]) == ("running", None)
        assert [one["name"] for one in shown["schedulers"]] == ["tower:7"]

    def test_is_away_when_nobody_heard_of_it(self, platform_api: Caller, scheduler: None, clock: ManualClock):
        clock.advance(minutes=10)

        assert status_of(platform_api)["state"] == "away"

    def test_says_when_anything_is_due(
        self, platform_api: Caller, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ):
        with database.transaction() as session:
            make_schedule(session, make_job(session, organization_id), next_run_at=clock.moment)

        assert status_of(platform_api)["next_due_at"] == clock.moment.isoformat().replace("+00:00", "Z")

    def test_says_for_how_long_it_waits_because_the_clock_was_set(
        self, platform_api: Caller, database: OpenDatabase, clock: ManualClock
    ):
        with database.transaction() as session:
            record_step(session, step=ClockStep(-3600, clock.moment), hold_seconds=30)

        hold = status_of(platform_api)["hold"]
        clock.advance(seconds=30)

        assert hold["held_until"] == clock.moment.isoformat().replace("+00:00", "Z")
        assert hold["text"] == "The database's clock was set back by 1:00:00, to 2027-01-05 12:00:00 UTC."
        assert status_of(platform_api)["hold"] is None

    def test_is_stopped_with_a_reason(self, platform_api: Caller, scheduler: None, audited):
        answer = platform_api.post("/scheduler/stop", REASON)

        stop = status_of(platform_api)["stop"]
        assert (answer.status_code, answer.json["message"]) == (200, "Scheduling stopped.")
        assert (answer.json["data"]["state"], stop["reason"]) == ("stopped", "Moving to the new server")
        assert stop["stopped_by"].startswith("platform-api@example.com")
        assert audited() == ["scheduling.stopped"]

    @pytest.mark.parametrize("body", [None, {}])
    def test_needs_no_reason(self, platform_api: Caller, body: dict[str, str] | None):
        answer = platform_api.post("/scheduler/stop", body)

        assert answer.status_code == 200
        assert answer.json["data"]["stop"]["reason"] == "No reason was given."

    def test_keeps_the_first_reason(self, platform_api: Caller, audited):
        platform_api.post("/scheduler/stop", REASON)

        again = platform_api.post("/scheduler/stop", {"reason": "Another"})

        assert again.json["message"] == "Scheduling was stopped already."
        assert again.json["data"]["stop"]["reason"] == "Moving to the new server"
        assert audited() == ["scheduling.stopped"]

    def test_starts_again(self, platform_api: Caller, scheduler: None, audited):
        platform_api.post("/scheduler/stop", REASON)

        answer = platform_api.post("/scheduler/start")

        assert (answer.json["message"], answer.json["data"]["state"]) == ("Scheduling started.", "running")
        assert platform_api.post("/scheduler/start").json["message"] == "Scheduling was not stopped."
        assert audited() == ["scheduling.stopped", "scheduling.started"]

    def test_leaves_word_of_who_stopped_it_where_slots_were_missed(
        self, platform_api: Caller, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ):
        clock.moment = clock.moment.replace(minute=1, second=0, microsecond=0)
        with database.transaction() as session:
            job = make_job(session, organization_id)
            schedule = make_schedule(session, job, cron="*/10 * * * *", next_run_at=clock.moment.replace(minute=10))
        platform_api.post("/scheduler/stop", REASON)
        clock.advance(minutes=30)
        platform_api.post("/scheduler/start")
        clock.advance(minutes=12)

        with database.transaction() as session:
            planner.tick(session, now=clock.moment)

        entries = platform_api.get(f"/schedules/{schedule.id}/history").json["data"]
        gap = next(entry["gap"] for entry in entries if entry["kind"] == "gap")
        assert (gap["slots"], gap["reason"]) == (3, "scheduling_stopped")
        assert "platform-api@example.com" in gap["explanation"]
        assert "Moving to the new server" in gap["explanation"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"reason": ""}, "reason"),
            ({"reason": "   "}, "reason"),
            ({"reason": "x" * 501}, "reason"),
            ({"reason": "x", "until": "tomorrow"}, "until"),
        ],
    )
    def test_refuses_a_reason_that_says_nothing(self, platform_api: Caller, body: dict[str, str], field: str):
        answer = platform_api.post("/scheduler/stop", body)

        assert answer.status_code == 422
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == [field]

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/scheduler/status"), ("POST", "/scheduler/start"), ("POST", "/scheduler/stop")]
    )
    def test_is_for_platform_admins_alone(self, owner_api: Caller, open_api: OpenApi, method: str, path: str):
        more = {"json": REASON} if path.endswith("stop") else {}
        narrow = open_api(email="narrow@example.com", is_platform_admin=True, scopes=("view", "manage_queue"))

        assert owner_api.open(method, path, **more).status_code == 403
        # A token of a platform admin may still lack that scope.
        assert narrow.open(method, path, **more).status_code == 403
