"""Versions of a schedule, copies, its history by kind and its slots by day, for programs."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete

from app.jobs.models import Job
from app.runs import planner
from app.runs.models import Run
from tests.api.conftest import Caller
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser


@pytest.fixture
def job(database: OpenDatabase, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Orders")


@pytest.fixture
def path(owner_api: Caller, job: Job) -> str:
    """An hourly schedule that was changed once."""
    asked = {"name": "Hourly", "job_id": str(job.id), "cron": "0 * * * *", "timezone": "UTC"}
    made: Any = owner_api.post("/schedules", asked)
    address = f"/schedules/{made.json['data']['id']}"
    assert owner_api.open("PATCH", address, json={"cron": "30 * * * *"}).status_code == 200
    return address


class TestVersions:
    def test_come_in_pages(self, viewer_api: Caller, path: str):
        first: Any = viewer_api.get(f"{path}/versions?limit=1").json
        second: Any = viewer_api.get(f"{path}/versions?limit=1&cursor={first['next']}").json

        words = "cron: 0 * * * * → 30 * * * *"
        change = {"field": "cron", "before": "0 * * * *", "after": "30 * * * *", "words": words}
        assert (first["data"][0]["changes"], first["data"][0]["words"]) == ([change], [words])
        assert [second["data"][0]["version"], second["next"]] == [1, None]

    def test_are_restored_if_nobody_was_faster(self, owner_api: Caller, path: str):
        late = owner_api.post(f"{path}/versions/1/restore", {"version": 1})
        now: Any = owner_api.post(f"{path}/versions/1/restore", {"version": 2})

        assert late.status_code == 409
        assert (now.status_code, now.json["data"]["cron"], now.json["data"]["version"]) == (200, "0 * * * *", 3)

    def test_that_do_not_exist_are_not_found(self, owner_api: Caller, path: str):
        assert owner_api.post(f"{path}/versions/{2**80}/restore").status_code == 404

    def test_are_nobody_elses(self, stranger_api: Caller, path: str):
        found = [stranger_api.get(f"{path}/{name}").status_code for name in ("versions", "slots", "history")]

        assert [*found, stranger_api.post(f"{path}/duplicate").status_code] == [404] * 4


class TestCopies:
    def test_are_off(self, owner_api: Caller, path: str):
        made: Any = owner_api.post(f"{path}/duplicate")

        assert made.status_code == 201
        assert (made.json["data"]["name"], made.json["data"]["enabled"]) == ("Hourly (copy)", False)


class TestHistory:
    def test_says_who_changed_what(self, viewer_api: Caller, path: str):
        found: Any = viewer_api.get(f"{path}/history?kind=changes").json["data"]

        assert [entry["kind"] for entry in found] == ["change", "change"]
        assert found[0]["change"]["changes"][0]["field"] == "cron"

    def test_is_gone_through_without_losing_one(
        self, viewer_api: Caller, owner_api: Caller, path: str, clock: ManualClock
    ):
        # All at the same instant: only their places tell them apart.
        for minute in range(5):
            owner_api.open("PATCH", path, json={"cron": f"{minute} * * * *"})
            owner_api.post(f"{path}/run")
        seen, cursor = [], ""
        while cursor is not None:
            answer: Any = viewer_api.get(f"{path}/history?limit=2{cursor}").json
            seen += [(entry["kind"], (entry["run"] or entry["change"]).get("version")) for entry in answer["data"]]
            cursor = f"&cursor={answer['next']}" if answer["next"] else None

        assert sorted(each for each in seen if each[0] == "change") == [("change", number) for number in range(1, 8)]
        assert len(seen) == 12


class TestSlots:
    def test_add_up(self, viewer_api: Caller, path: str, database: OpenDatabase, clock: ManualClock):
        with database.transaction() as session:
            planner.tick(session, now=clock.moment.replace(minute=30, second=0))
        clock.moment = utc("2027-01-06 00:10")

        found: Any = viewer_api.get(f"{path}/slots?day=2027-01-05").json["data"]

        assert found["expected"] == len(found["slots"]) == sum(found["counts"].values())
        assert found["is_sure"] is True
        assert set(found["counts"]) <= {"before", "waiting", "due"}

    def test_say_what_nobody_knows(self, viewer_api: Caller, path: str, database: OpenDatabase, clock: ManualClock):
        with database.transaction() as session:
            planner.tick(session, now=clock.moment.replace(minute=30, second=0))
            session.execute(delete(Run))
        clock.moment = clock.moment.replace(minute=40)

        found: Any = viewer_api.get(f"{path}/slots").json["data"]

        assert found["counts"]["unaccounted"] == 1

    @pytest.mark.parametrize("day", ["soon", "2199-01-01", "2027-13-01", "%00"])
    def test_are_of_days_that_have_begun(self, viewer_api: Caller, path: str, day: str):
        assert viewer_api.get(f"{path}/slots?day={day}").status_code == 422

    def test_are_narrowed_and_come_as_the_file_of_the_page(
        self, owner_api: Caller, path: str, database: OpenDatabase, clock: ManualClock
    ):
        with database.transaction() as session:
            planner.tick(session, now=clock.moment.replace(minute=30, second=0))
        clock.moment = utc("2027-01-06 00:10")
        where = f"{path}/slots?day=2027-01-05"

        found: Any = owner_api.get(where).json["data"]
        for outcome, count in found["counts"].items():
            narrowed: Any = owner_api.get(f"{where}&outcome={outcome}").json["data"]
            lines = owner_api.get(f"{where}&outcome={outcome}&format=csv").text
            assert len(narrowed["slots"]) == len(lines.splitlines()) - 1 == count
            assert (narrowed["expected"], narrowed["counts"]) == (found["expected"], found["counts"])

    @pytest.mark.parametrize("outcome", ["", "&outcome=before"])
    def test_are_the_same_file_by_header_by_parameter_and_on_the_page(
        self, owner: Browser, viewer_api: Caller, path: str, clock: ManualClock, outcome: str
    ):
        clock.moment = utc("2027-01-06 00:10")
        day = f"day=2027-01-05{outcome}"

        by_header = viewer_api.open("GET", f"{path}/slots?{day}", headers={"Accept": "text/csv"})
        by_parameter = viewer_api.get(f"{path}/slots?{day}&format=csv")
        by_page = owner.visit(f"{path}/slots.csv?{day}")

        assert by_header.text == by_parameter.text == by_page.text
        assert by_header.mimetype == by_parameter.mimetype == "text/csv"
        assert by_header.headers["Content-Disposition"] == by_page.headers["Content-Disposition"]
        assert f"slots.csv?day=2027-01-05{outcome.replace('&', '&amp;')}" in owner.visit(f"{path}/slots?{day}").text

    @pytest.mark.parametrize("query", ["outcome=lost", "format=xml", "outcome="])
    def test_refuse_what_there_is_not(self, viewer_api: Caller, path: str, query: str):
        assert viewer_api.get(f"{path}/slots?{query}").status_code == 422

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", "application/json, text/csv;q=0.5"])
    def test_are_json_unless_a_file_is_asked_for(self, viewer_api: Caller, path: str, accept: str):
        answer = viewer_api.open("GET", f"{path}/slots", headers={"Accept": accept})

        assert answer.mimetype == "application/json"
