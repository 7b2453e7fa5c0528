"""`/schedules/{id}/effects`: what is said before, against what the same call then does."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.jobs.models import Job
from app.runs.models import Run
from app.schedules.models import Gap, Schedule
from tests.api.conftest import Caller
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase


@pytest.fixture(autouse=True)
def noon(clock: ManualClock) -> None:
    clock.moment = utc("2027-03-01 12:00")


@pytest.fixture
def job(database: OpenDatabase, owner_api: Caller) -> Job:
    with database.transaction() as session:
        return make_job(session, owner_api.organization_id, name="Orders")


def make(database: OpenDatabase, job: Job, **columns: Any) -> str:
    """An hourly schedule that is five hours behind: nobody planned since."""
    behind = {"cron": "0 * * * *", "next_run_at": utc("2027-03-01 07:00"), "missed_limit": 2, "missed": "all"}
    with database.transaction() as session:
        return f"/schedules/{make_schedule(session, job, **(behind | columns)).id}"


def data(caller: Caller, path: str, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = caller.get(path, **query).json["data"]
    return found


def upcoming(caller: Caller, path: str) -> list[str]:
    return [run["at"] for run in data(caller, f"{path}/preview")["next_runs"]]


def accounts(database: OpenDatabase) -> tuple[int, int]:
    """Slots with a run, and slots without one."""
    with database.reading() as session:
        runs = session.scalars(select(func.count()).where(Run.slot_at.is_not(None))).one()
        return runs, int(session.scalars(select(func.coalesce(func.sum(Gap.slots), 0))).one())


def told(found: dict[str, Any] | None) -> tuple[int, int]:
    if found is None:
        return (0, 0)
    return len(found["runs"]) + len(found["skipped"]), 0 if found["lost"] is None else found["lost"]["count"]


def written(database: OpenDatabase) -> tuple[Any, ...]:
    with database.reading() as session:
        row = session.execute(select(Schedule.version, Schedule.enabled, Schedule.cron, Schedule.next_run_at)).one()
    return (*row, *accounts(database))


class TestAnEdit:
    OTHER = {"cron": "30 2 * * *", "timezone": "America/New_York", "name": "Other"}

    def test_does_what_was_said(self, owner_api: Caller, database: OpenDatabase, job: Job):
        path = make(database, job)
        before = upcoming(owner_api, path)
        said = owner_api.post(f"{path}/effects", self.OTHER).json["data"]

        owner_api.patch(path, self.OTHER)

        assert [run["at"] for run in said["before"]] == before
        assert [run["at"] for run in said["after"]] == upcoming(owner_api, path)
        assert said["after"][0]["local"] == "2027-03-02T02:30:00-05:00"
        assert told(said["due"]) == accounts(database) == (2, 4)

    def test_says_in_words_what_it_changes_and_on_both_clocks_when(
        self, owner_api: Caller, database: OpenDatabase, job: Job
    ):
        path = make(database, job)

        said = owner_api.post(f"{path}/effects", self.OTHER).json["data"]

        assert [change["field"] for change in said["changes"]] == ["name", "cron", "timezone"]
        assert said["changes"][1]["words"] == "cron: 0 * * * * → 30 2 * * *"
        assert said["lines"] == [
            "6 slots up to Mon 1 Mar, 12:00 UTC (14:00 your time) are due already and go by what it said until now: "
            "2 run, 4 stay missed."
        ]

    def test_writes_nothing(self, owner_api: Caller, database: OpenDatabase, job: Job):
        path = make(database, job)
        before = written(database)

        owner_api.post(f"{path}/effects", self.OTHER)

        assert written(database) == before

    @pytest.mark.parametrize(
        "body",
        [
            {"cron": "60 * * * *"},
            {"timezone": "Mars/Phobos"},
            {"name": " "},
            {"name": "Taken"},
            {"tags": ["!"]},
            {"missed_limit": 1000},
            {"missed_max_age_seconds": 1},
            {"ends_at": "2027-01-01T00:00:00Z"},
            {"version": 7},
            {"cron": "at 2020-01-01 08:00"},
        ],
    )
    def test_is_refused_as_the_edit_itself(
        self, owner_api: Caller, database: OpenDatabase, job: Job, body: dict[str, Any]
    ):
        path = make(database, job)
        make(database, job, name="Taken")

        said, done = owner_api.post(f"{path}/effects", body), owner_api.patch(path, body)

        assert said.status_code == done.status_code
        assert said.json["error"]["message"] == done.json["error"]["message"]
        assert said.json["error"].get("fields") == done.json["error"].get("fields")

    def test_that_enables_it_counts_what_it_missed(self, owner_api: Caller, database: OpenDatabase, job: Job):
        path = make(database, job, enabled=False, switched_at=utc("2027-03-01 06:30"), switched_by="ana")
        body = {"enabled": True, "missed_while_paused": "latest"}
        said = owner_api.post(f"{path}/effects", body).json["data"]

        owner_api.patch(path, body)

        assert told(said["missed"]) == accounts(database) == (1, 5)

    def test_of_what_stays_off_keeps_what_it_missed(self, owner_api: Caller, database: OpenDatabase, job: Job):
        path = make(database, job, enabled=False, switched_at=utc("2027-03-01 06:30"), switched_by="ana")
        before = data(owner_api, path)["missed_while_paused"]
        said = owner_api.post(f"{path}/effects", {"notes": "hello"}).json["data"]

        owner_api.patch(path, {"notes": "hello"})

        assert (said["lines"], said["missed"]) == ([], None)
        assert data(owner_api, path)["missed_while_paused"] == before
        assert (before["count"], *accounts(database)) == (6, 0, 0)

    def test_of_the_times_of_what_stays_off_says_what_is_lost(
        self, owner_api: Caller, database: OpenDatabase, job: Job
    ):
        path = make(database, job, enabled=False, switched_at=utc("2027-03-01 06:30"), switched_by="ana")
        said = owner_api.post(f"{path}/effects", self.OTHER).json["data"]

        owner_api.patch(path, self.OTHER)

        assert told(said["missed"]) == accounts(database) == (0, 6)
        assert said["lines"][0].endswith(
            "passed while it was off: 6 stay missed, because its times change. To decide otherwise, enable it first."
        )
        assert data(owner_api, path)["missed_while_paused"] is None


class TestTheSwitch:
    @pytest.mark.parametrize("missed", ["skip", "latest", "all"])
    def test_on_does_what_was_said(self, owner_api: Caller, database: OpenDatabase, job: Job, missed: str):
        path = make(database, job, enabled=False, switched_at=utc("2027-03-01 06:30"), switched_by="ana")
        said = data(owner_api, f"{path}/effects", missed=missed)["resume"]

        owner_api.post(f"{path}/resume", {"missed": missed})

        assert told(said["missed"]) == accounts(database)
        assert (said["before"], [run["at"] for run in said["after"]]) == ([], upcoming(owner_api, path))

    def test_off_does_what_was_said(self, owner_api: Caller, database: OpenDatabase, job: Job):
        path = make(database, job)
        said = data(owner_api, f"{path}/effects")["pause"]

        owner_api.post(f"{path}/pause")

        assert told(said["due"]) == accounts(database) == (2, 4)
        assert (len(said["before"]), said["after"]) == (5, [])
        assert any("Mon 1 Mar, 13:00 UTC (15:00 your time), and all that follow" in line for line in said["lines"])

    def test_that_is_as_asked_changes_nothing_and_says_so(self, owner_api: Caller, database: OpenDatabase, job: Job):
        path = make(database, job, next_run_at=utc("2027-03-01 13:00"))

        said = data(owner_api, f"{path}/effects")["resume"]

        assert said["lines"] == ["It is switched on already: nothing changes."]
        assert said["before"] == said["after"] != []


class TestADeletion:
    def test_does_what_was_said(self, owner_api: Caller, database: OpenDatabase, job: Job):
        path = make(database, job, overlap="allow")
        said = data(owner_api, f"{path}/effects")["delete"]

        owner_api.delete(path)

        with database.reading() as session:
            cancelled = session.scalars(select(func.count()).where(Run.state == "cancelled")).one()
        assert said["cancelled"] == cancelled == 2
        assert told(said["due"]) == accounts(database)

    def test_of_a_default_schedule_says_why_it_would_be_refused(
        self, owner_api: Caller, database: OpenDatabase, job: Job
    ):
        path = make(database, job, default_for="meta")
        said = data(owner_api, f"{path}/effects")["delete"]

        refused = owner_api.delete(path)

        assert said["refused"] == refused.json["error"]["message"]
        assert (said["lines"], said["due"]) == ([], None)


class TestARestore:
    def test_does_what_was_said(self, owner_api: Caller, database: OpenDatabase, job: Job, clock: ManualClock):
        path = make(database, job, next_run_at=utc("2027-03-01 13:00"))
        owner_api.patch(path, {"cron": "30 2 * * *", "timezone": "America/New_York"})
        clock.advance(hours=1)
        said = data(owner_api, f"{path}/versions/1/effects")

        owner_api.post(f"{path}/versions/1/restore")

        assert said["action"] == "restore"
        assert [change["field"] for change in said["changes"]] == ["cron", "timezone"]
        assert [run["at"] for run in said["after"]] == upcoming(owner_api, path)

    def test_of_what_it_says_already_would_be_refused(self, owner_api: Caller, database: OpenDatabase, job: Job):
        path = make(database, job, next_run_at=utc("2027-03-01 13:00"))
        owner_api.patch(path, {"name": "Other"})

        said = data(owner_api, f"{path}/versions/2/effects")

        assert said["refused"] == owner_api.post(f"{path}/versions/2/restore").json["error"]["message"]


def test_nobody_elses_schedule_is_told_of(stranger_api: Caller, database: OpenDatabase, job: Job):
    path = make(database, job, next_run_at=utc("2027-03-01 12:00") + timedelta(hours=1))

    found = [
        stranger_api.get(f"{path}/effects").status_code,
        stranger_api.post(f"{path}/effects", {"name": "Mine"}).status_code,
        stranger_api.get(f"{path}/versions/1/effects").status_code,
    ]

    assert found == [404] * 3
