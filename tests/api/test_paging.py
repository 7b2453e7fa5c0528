from itertools import chain
from uuid import UUID

import pytest
from flask import Flask

from app.jobs.models import Job
from app.runs import run_search
from app.runs.models import Run
from tests.api.conftest import Caller
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def run_ids(owner_api: Caller, database: OpenDatabase, clock: ManualClock) -> list[str]:
    """Five runs, newest first. Three of them were made in the same moment."""
    found: list[str] = []
    with database.transaction() as session:
        job = make_job(session, owner_api.organization_id)
        for seconds in (0, 0, 0, 1, 1):
            found.append(str(make_run(session, job, now=clock.advance(seconds=seconds))))
    return found[::-1]


@pytest.fixture
def job_names(owner_api: Caller, database: OpenDatabase) -> list[str]:
    names = ["A", "B", "C", "D"]
    with database.transaction() as session:
        for name in names:
            make_job(session, owner_api.organization_id, name=name)
    return names


def read_all(caller: Caller, path: str, name: str, **query: object) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        answer = caller.get(path, **query, **({"cursor": cursor} if cursor else {})).json
        pages.append([one[name] for one in answer["data"]])
        cursor = answer["next"]
        if cursor is None:
            return pages


class TestCursors:
    def test_belong_to_one_list_and_its_filters(self, owner_api: Caller, database: OpenDatabase):
        with database.transaction() as session:
            job = make_job(session, owner_api.organization_id)
            for name in "ABC":
                make_schedule(session, job, name=name)
        cursor = owner_api.get("/schedules", limit=1).json["next"]

        other = owner_api.get("/schedules", limit=1, cursor=cursor, enabled="true")

        assert owner_api.get("/schedules", limit=2, cursor=cursor).status_code == 200
        assert (other.status_code, other.json["error"]["fields"][0]["field"]) == (422, "cursor")


class TestPaging:
    def test_walks_through_runs_without_a_gap_or_a_repetition(self, owner_api: Caller, run_ids: list[str]):
        pages = read_all(owner_api, "/runs", "id", limit=2)

        assert [len(page) for page in pages] == [2, 2, 1]
        assert list(chain(*pages)) == run_ids

    def test_shows_no_run_twice_when_newer_ones_arrive(
        self, owner_api: Caller, run_ids: list[str], database: OpenDatabase, clock: ManualClock
    ):
        first = owner_api.get("/runs", limit=3).json
        with database.transaction() as session:
            job = session.get_one(Job, UUID(first["data"][0]["job_id"]))
            make_run(session, job, now=clock.advance(seconds=5))

        second = owner_api.get("/runs", limit=3, cursor=first["next"]).json

        assert [one["id"] for one in second["data"]] == run_ids[3:]
        assert second["next"] is None

    def test_cuts_lists_that_are_read_as_a_whole(self, owner_api: Caller, job_names: list[str]):
        assert read_all(owner_api, "/jobs", "name", limit=3) == [["A", "B", "C"], ["D"]]

    def test_ends_where_the_last_page_is_full(self, owner_api: Caller, job_names: list[str]):
        assert read_all(owner_api, "/jobs", "name", limit=2) == [["A", "B"], ["C", "D"]]

    def test_narrows_every_page(self, owner_api: Caller, run_ids: list[str]):
        ready = read_all(owner_api, "/runs", "state", limit=2, state="ready")
        failed = read_all(owner_api, "/runs", "state", limit=2, state="failed")

        assert list(chain(*ready)) == ["ready"] * 5
        assert failed == [[]]

    def test_searches_page_by_page(
        self,
        owner_api: Caller,
        run_ids: list[str],
        database: OpenDatabase,
        clock: ManualClock,
        monkeypatch: pytest.MonkeyPatch,
    ):
        monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", 4)
        with database.transaction() as session:
            oldest = session.get_one(Run, UUID(run_ids[-1]))
            oldest.error = "It answered 503"

        pages = read_all(owner_api, "/runs", "id", limit=2, q="answered 503")

        assert pages == [[], [run_ids[-1]]]
        assert read_all(owner_api, "/runs", "id", q=run_ids[1]) == [[run_ids[1]]]

    def test_tells_nothing_of_a_secret_by_how_far_it_looked(
        self, owner_api: Caller, database: OpenDatabase, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", 2)
        with database.transaction() as session:
            for number in range(5):
                secret = {"password": f"hunter-{number}"}
                job = make_job(session, owner_api.organization_id, name=f"Job {number}", arguments=secret)
                make_run(session, job, now=clock.advance(seconds=1))

        masked, nowhere = (read_all(owner_api, "/runs", "id", limit=2, q=typed) for typed in ("hunter", "walrus"))

        assert masked == nowhere == [[], [], []]

    def test_goes_on_behind_a_run_that_was_deleted_since(
        self, owner_api: Caller, run_ids: list[str], database: OpenDatabase
    ):
        first = owner_api.get("/runs", limit=2).json
        with database.transaction() as session:
            session.delete(session.get_one(Run, UUID(run_ids[1])))

        second = owner_api.get("/runs", limit=2, cursor=first["next"]).json

        assert [one["id"] for one in second["data"]] == run_ids[2:4]

    def test_shows_nothing_of_others(self, stranger_api: Caller, run_ids: list[str], job_names: list[str]):
        assert read_all(stranger_api, "/runs", "id") == [[]]
        assert read_all(stranger_api, "/jobs", "id") == [[]]


class TestCursor:
    @pytest.mark.parametrize("cursor", ["nonsense", "WyJhIl0.AAAA", "", "%00", "ä"])
    def test_is_refused_when_somebody_made_it_up(self, owner_api: Caller, cursor: str):
        answer = owner_api.get("/jobs", cursor=cursor)

        assert answer.status_code == 422
        assert answer.json["error"]["fields"][0]["field"] == "cursor"

    def test_is_refused_by_another_list(self, owner_api: Caller, job_names: list[str]):
        cursor = owner_api.get("/jobs", limit=1).json["next"]

        assert owner_api.get("/tokens", cursor=cursor).status_code == 422

    def test_is_read_at_both_addresses(self, owner_api: Caller, job_names: list[str], app: Flask):
        cursor = owner_api.get("/api/v1/jobs", limit=3).json["next"]

        assert [one["name"] for one in owner_api.get("/api/jobs", cursor=cursor).json["data"]] == ["D"]
