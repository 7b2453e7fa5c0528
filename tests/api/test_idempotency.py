from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from app.runs.models import Run
from app.tenants.models import ApiToken, IdempotencyKey
from tests.api.conftest import Caller, OpenApi, caller_for
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

NEW = {"name": "Deploys", "scopes": ["view"]}


@pytest.fixture
def run_path(owner_api: Caller, database: OpenDatabase) -> str:
    """Where a run of a job is asked for."""
    with database.transaction() as session:
        return f"/jobs/{make_job(session, owner_api.organization_id).id}/run"


def count_runs(database: OpenDatabase) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Run)) or 0


class TestIdempotencyKey:
    def test_gives_the_first_answer_again_and_does_nothing(
        self, owner_api: Caller, run_path: str, database: OpenDatabase
    ):
        first, second = (owner_api.post(run_path, Idempotency_Key="a") for _ in range(2))

        assert (second.status_code, second.json) == (first.status_code, first.json)
        assert second.headers["Idempotency-Replayed"] == "true"
        assert count_runs(database) == 1

    def test_counts_for_both_addresses_of_the_api(self, owner_api: Caller, run_path: str, database: OpenDatabase):
        owner_api.post(f"/api{run_path}", Idempotency_Key="a")
        owner_api.post(f"/api/v1{run_path}", {}, Idempotency_Key="a")

        assert count_runs(database) == 1

    def test_never_tells_a_secret_twice(self, owner_api: Caller, database: OpenDatabase):
        first, second = (owner_api.post("/tokens", NEW, Idempotency_Key="a") for _ in range(2))

        assert second.json["data"] == first.json["data"] | {"token": None}
        with database.reading() as session:
            kept = session.scalars(select(IdempotencyKey.body)).one() or ""
        assert first.json["data"]["token"] not in kept

    @pytest.mark.parametrize(("path", "body"), [("/tokens", NEW | {"name": "Other"}), ("/jobs", NEW)])
    def test_refuses_another_request_with_the_same_key(self, owner_api: Caller, path: str, body: dict[str, object]):
        owner_api.post("/tokens", NEW, Idempotency_Key="a")

        answer = owner_api.post(path, body, Idempotency_Key="a")

        assert answer.status_code == 422

    def test_forgets_a_request_that_failed(self, owner_api: Caller):
        refused = owner_api.post("/tokens", NEW | {"name": " "}, Idempotency_Key="a")

        answer = owner_api.post("/tokens", NEW, Idempotency_Key="a")

        assert (refused.status_code, answer.status_code) == (422, 201)

    def test_is_each_persons_own(self, owner_api: Caller, admin_api: Caller, run_path: str, database: OpenDatabase):
        owner_api.post(run_path, Idempotency_Key="a")
        admin_api.post(run_path, Idempotency_Key="a")

        assert count_runs(database) == 2

    def test_is_forgotten_after_a_day(
        self, owner_api: Caller, run_path: str, clock: ManualClock, database: OpenDatabase
    ):
        owner_api.post(run_path, Idempotency_Key="a")
        clock.advance(hours=24)
        owner_api.post(run_path, Idempotency_Key="a")

        assert count_runs(database) == 2

    def test_says_so_while_the_first_request_is_at_work(self, owner_api: Caller, database: OpenDatabase):
        owner_api.post("/tokens", NEW, Idempotency_Key="a")
        with database.transaction() as session:
            session.execute(update(IdempotencyKey).values(status=None, body=None))

        answer = owner_api.post("/tokens", NEW, Idempotency_Key="a")

        assert answer.status_code == 409

    def test_tells_nothing_to_other_rights(
        self, open_api: OpenApi, app: Flask, database: OpenDatabase, clock: ManualClock
    ):
        wide = open_api(email="petra@example.com", is_platform_admin=True)
        narrow = caller_for(app, database, clock, wide.member, scopes=("view",))
        pause = {"action": "pause"}
        wide.post("/admin/queues/sync", pause, Idempotency_Key="a")

        answer = narrow.post("/admin/queues/sync", pause, Idempotency_Key="a")

        assert answer.status_code in {403, 422}
        assert "data" not in answer.json

    def test_makes_one_of_many_requests_at_the_same_moment(
        self, owner_api: Caller, run_path: str, database: OpenDatabase
    ):
        def send(_number: int) -> TestResponse:
            client = owner_api.client.application.test_client()
            return Caller(client, token=owner_api.token).post(run_path, Idempotency_Key="a")

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(send, range(8)))

        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len({answer.text for answer in answers if answer.status_code == 201}) == 1
        assert count_runs(database) == 1

    @pytest.mark.parametrize("key", ["", "a" * 201, "ä", "\x7f"])
    def test_names_a_key_that_cannot_be_kept(self, owner_api: Caller, key: str, database: OpenDatabase):
        answer = owner_api.post("/tokens", NEW, Idempotency_Key=key)

        assert answer.status_code == 422
        assert answer.json["error"]["fields"][0]["field"] == "Idempotency-Key"
        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(ApiToken)) == 1
