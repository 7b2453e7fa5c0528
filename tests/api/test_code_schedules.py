"""`/admin/code-schedules` and `/admin/code-jobs`."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.clock import Clock
from app.core.config import Settings
from app.factory import create_app
from app.ops.code_definitions import load_definitions
from app.ops.code_loader import put_in_force
from app.runs.models import Run
from app.schedules.models import Gap, Schedule
from app.tenants.models import SYSTEM_ORGANIZATION_ID
from tests.api.conftest import Caller, OpenApi
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.isolation.conftest import NOW

ALL = "/admin/code-schedules"
ONE = f"{ALL}/dev-quick-test"


@pytest.fixture
def app(settings: Settings, database: OpenDatabase, clock: Clock) -> Flask:
    """With the kinds of job that there really are."""
    return create_app(settings, database=database, clock=clock, dispatch=lambda: 0)


@pytest.fixture(autouse=True)
def loaded(settings: Settings, database: OpenDatabase, clock: ManualClock) -> None:
    put_in_force(database, clock, load_definitions(settings), is_asked_for=True)


class TestSchedules:
    def test_are_listed_with_what_the_code_says(self, platform_api: Caller):
        found = platform_api.get(ALL).json["data"]

        assert [one["id"] for one in found] == ["daily-full-sync", "dev-quick-test", "feed-refresh", "hourly-matching"]
        assert found[1]["source"].startswith("app/jobs/examples.py:")
        assert (found[1]["enabled"], found[1]["switched_by"], found[1]["missed"]) == (False, None, "skip")
        assert found[1]["policies_in_words"][0] == "Missed runs are not made up for."

    def test_are_switched(self, platform_api: Caller):
        on = platform_api.post(f"{ONE}/enable").json["data"]
        off = platform_api.post(f"{ONE}/disable").json["data"]

        assert (on["enabled"], off["enabled"]) == (True, False)

    def test_are_switched_on_with_a_word_about_what_they_missed(self, platform_api: Caller, clock: ManualClock):
        for verb in ("enable", "disable"):
            platform_api.post(f"{ONE}/{verb}")
        clock.advance(minutes=12)

        before = platform_api.get(ONE).json["data"]["missed_while_paused"]
        after = platform_api.post(f"{ONE}/enable", {"missed": "latest"}).json["data"]

        assert (before["count"], after["enabled"], after["missed_while_paused"]) == (2, True, None)
        assert [run["trigger"] for run in platform_api.get(f"{ONE}/runs").json["data"]] == ["catch_up"]

    def test_say_why_they_do_not_run(self, platform_api: Caller):
        off = platform_api.get(f"{ONE}/why").json["data"]
        platform_api.post(f"{ONE}/enable")
        on = platform_api.get(f"{ONE}/why").json["data"]

        assert (off["code"], off["holds"], off["by"]) == ("paused", True, None)
        assert "was loaded from code switched off" in off["words"]
        assert on["code"] == "scheduler_silent"

    def test_are_changed_and_reverted(self, platform_api: Caller):
        changed = platform_api.patch(ONE, {"cron": "0 5 * * *", "notes": "Until the move"}).json["data"]
        reverted = platform_api.post(f"{ONE}/revert").json
        again = platform_api.post(f"{ONE}/revert").json

        assert changed["overrides"] == [{"field": "cron", "here": "0 5 * * *", "in_code": "*/5 * * * *"}]
        assert (reverted["data"]["overrides"], reverted["data"]["notes"]) == ([], "Until the move")
        assert (reverted["message"], again["message"]) == ("Reverted to the code.", "It is as the code says already.")

    def test_may_come_less_often_than_their_maximum_age(self, platform_api: Caller):
        answer = platform_api.patch(ONE, {"cron": "0 3 * * 1", "missed": "latest"})

        assert answer.status_code == 200
        assert (answer.json["data"]["cron"], answer.json["data"]["missed"]) == ("0 3 * * 1", "latest")

    def test_take_the_policies_that_the_page_takes(self, platform_api: Caller):
        sent = {"missed_limit": 3, "missed_max_age_seconds": 7_200, "clock_change": "skip", "tags": ["mine"]}

        shown = platform_api.patch(ONE, sent).json["data"]
        usual = platform_api.patch(ONE, {"missed_max_age_seconds": None}).json["data"]

        assert {name: shown[name] for name in sent} == sent
        assert {one["field"] for one in shown["overrides"]} == set(sent)
        assert usual["missed_max_age_seconds"] == 86_400

    def test_keep_a_maximum_age_that_was_said_and_refuse_times_that_it_does_not_fit(self, platform_api: Caller):
        platform_api.patch(ONE, {"missed": "latest", "missed_max_age_seconds": 7_200})

        answer = platform_api.patch(ONE, {"cron": "0 3 * * 1"})

        assert answer.status_code == 422
        assert "The maximum age, 2 hours, is shorter than the time between two runs" in answer.json["error"]["message"]
        assert platform_api.get(ONE).json["data"]["cron"] == "*/5 * * * *"

    def test_refuse_a_maximum_age_under_the_interval(self, platform_api: Caller):
        answer = platform_api.patch(ONE, {"missed": "latest", "missed_max_age_seconds": 60})

        assert answer.status_code == 422
        assert answer.json["error"]["fields"][0]["field"] == "missed_max_age_seconds"

    def test_answer_what_became_of_what_they_missed(self, platform_api: Caller, clock: ManualClock):
        platform_api.post(f"{ONE}/enable")
        platform_api.post(f"{ONE}/disable")
        clock.advance(minutes=12)

        resumed = platform_api.post(f"{ONE}/enable", {"missed": "latest"}).json["data"]["resumed"]

        assert (resumed["missed"], resumed["started"], resumed["left"]) == (2, 1, 1)

    def test_are_run_with_parameters(self, platform_api: Caller, database: OpenDatabase):
        run_id = platform_api.post(f"{ONE}/run", {"parameters": {"seconds": 0}}).json["data"]["run_id"]

        with database.reading() as session:
            definition = session.scalars(select(Run.definition)).one()
        assert definition["arguments"] == {"seconds": 0.0}
        assert [run["id"] for run in platform_api.get(f"{ONE}/runs").json["data"]] == [run_id]

    def test_refuse_parameters_of_the_wrong_type(self, platform_api: Caller):
        answer = platform_api.post(f"{ONE}/run", {"parameters": {"seconds": "long"}})

        assert answer.status_code == 422
        expected = {"field": "arguments.seconds", "message": "“Seconds” has to be a number."}
        assert answer.json["error"]["fields"] == [expected]

    def test_that_there_are_not_are_not_found(self, platform_api: Caller):
        assert platform_api.get(f"{ALL}/nothing").status_code == 404

    def test_are_for_platform_admins(self, open_api: OpenApi):
        assert open_api(email="other@example.com").get(ALL).status_code == 403


def test_jobs_answer_with_the_policies_that_the_code_says(platform_api: Caller):
    shown = platform_api.get("/admin/code-jobs").json["data"][0]

    assert (shown["tries"], shown["retry_delay_seconds"], shown["retry_backoff"]) == (3, 5, "exponential")
    assert (shown["priority"], shown["concurrency"], shown["soft_limit_seconds"]) == ("normal", None, None)
    assert (shown["when_lost"], shown["queue"], shown["retry_not_on"]) == ("kind", None, [])


def test_skipped_slots_are_listed_page_by_page(platform_api: Caller, database: OpenDatabase, clock: ManualClock):
    with database.transaction() as session:
        schedule_id = session.scalars(select(Schedule.id).where(Schedule.code_id == "dev-quick-test")).one()
        for number in range(5):
            at = clock.moment - timedelta(minutes=5 * number)
            gap = {"first_slot_at": at, "last_slot_at": at, "slots": 1, "at": clock.moment, "reason": "scheduler_down"}
            session.add(Gap(organization_id=SYSTEM_ORGANIZATION_ID, schedule_id=schedule_id, **gap))

    first = platform_api.get("/admin/skipped-slots?limit=3").json
    second = platform_api.get(f"/admin/skipped-slots?limit=3&cursor={first['next']}").json

    found = [one["first_slot_at"] for one in first["data"] + second["data"]]
    assert (len(first["data"]), second["next"], found) == (3, None, sorted(found, reverse=True))
    assert first["data"][0]["why"].startswith("No scheduler was running")


def test_no_skipped_slot_is_lost_between_two_pages(platform_api: Caller, database: OpenDatabase, clock: ManualClock):
    def passed_over(slot: timedelta, recorded: timedelta) -> None:
        at = {"first_slot_at": clock.moment - slot, "last_slot_at": clock.moment - slot, "at": clock.moment - recorded}
        with database.transaction() as session:
            schedule_id = session.scalars(select(Schedule.id).where(Schedule.code_id == "dev-quick-test")).one()
            owner = {"organization_id": SYSTEM_ORGANIZATION_ID, "schedule_id": schedule_id}
            session.add(Gap(**owner, **at, slots=1, reason="scheduler_down"))

    # The first leaves the seven days while somebody reads, although it was recorded last.
    passed_over(timedelta(days=6, hours=23, minutes=59), timedelta(minutes=1))
    for days in (1, 2, 3):
        passed_over(timedelta(days=days), timedelta(hours=1))

    first = platform_api.get("/admin/skipped-slots?limit=2").json
    clock.advance(minutes=2)
    second = platform_api.get(f"/admin/skipped-slots?limit=2&cursor={first['next']}").json

    found = [one["first_slot_at"][:10] for one in first["data"] + second["data"]]
    assert found == ["2027-01-04", "2027-01-03", "2027-01-02"]


class TestJobs:
    def test_are_listed_and_run(self, platform_api: Caller):
        found = platform_api.get("/admin/code-jobs").json["data"]
        started = platform_api.post("/admin/code-jobs/example_match_zones/run")

        assert [one["name"] for one in found][:2] == ["example_feed", "example_match_packages"]
        assert started.status_code == 201
        assert platform_api.get("/admin/code-jobs").json["data"][2]["last_run_state"] == "ready"


def test_nothing_is_wrong_with_the_examples(platform_api: Caller):
    assert platform_api.get("/admin/code-problems").json["data"] == []


class TestRuns:
    def test_of_jobs_in_code_are_read_by_platform_admins(self, platform_api: Caller):
        run_id = platform_api.post("/admin/code-jobs/example_match_zones/run").json["data"]["run_id"]

        found = platform_api.get(f"/admin/code-runs/{run_id}").json["data"]
        children = platform_api.get(f"/admin/code-runs/{run_id}/children").json["data"]

        assert (found["id"], found["job_name"], found["attempts"]) == (run_id, "example_match_zones", [])
        assert children == []

    def test_are_not_found_among_those_of_an_organization_which_says_where_they_are(
        self, platform_api: Caller, viewer_api: Caller
    ):
        run_id = platform_api.post("/admin/code-jobs/example_match_zones/run").json["data"]["run_id"]

        seen, other = viewer_api.get(f"/runs/{run_id}"), viewer_api.get(f"/runs/{uuid4()}")
        refused = viewer_api.get(f"/admin/code-runs/{run_id}")

        # The same words for what there is and what there is not: nobody learns of runs elsewhere.
        assert (seen.status_code, seen.json) == (404, other.json)
        assert "/admin/code-runs/{id}" in seen.json["error"]["message"]
        assert "scope platform_admin" in seen.json["error"]["message"]
        assert refused.status_code == 403

    def test_of_an_organization_are_not_among_them(
        self, platform_api: Caller, database: OpenDatabase, organization_id: UUID
    ):
        with database.transaction() as session:
            run_id = make_run(session, make_job(session, organization_id), now=NOW)

        assert platform_api.get(f"/admin/code-runs/{run_id}").status_code == 404
