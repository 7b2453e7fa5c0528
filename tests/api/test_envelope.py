import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core.config import Settings
from app.core.errors import Invalid
from app.factory import create_app
from tests.api.conftest import Caller
from tests.fakes.database import OpenDatabase

JOB = {"name": "Tidy up", "kind": "code", "definition": {"ends": "succeeded"}}
SECRET = "s3cret-of-nobody"


def error_of(answer: TestResponse) -> dict[str, Any]:
    assert answer.mimetype == "application/json"
    assert answer.json["success"] is False
    found: dict[str, Any] = answer.json["error"]
    return found


def fields_of(answer: TestResponse) -> dict[str, str]:
    return {one["field"]: one["message"] for one in error_of(answer)["fields"]}


def send_raw(caller: Caller, data: bytes, content_type: str | None = "application/json") -> TestResponse:
    return caller.open("POST", "/jobs", data=data, content_type=content_type)


class TestSuccess:
    def test_wraps_data_and_says_that_it_worked(self, owner_api: Caller):
        answer = owner_api.get("/me")

        assert answer.status_code == 200
        assert answer.json["success"] is True
        assert answer.json["data"]["role"] == "owner"

    def test_answers_below_both_addresses_alike(self, owner_api: Caller):
        assert owner_api.get("/api/me").json == owner_api.get("/api/v1/me").json

    def test_adds_a_sentence_where_something_was_done(self, owner_api: Caller):
        made = owner_api.post("/jobs", JOB)

        answer = owner_api.delete(f"/jobs/{made.json['data']['id']}")

        assert answer.json == {"success": True, "data": None, "message": "Job deleted. Its history stays."}

    def test_writes_moments_in_utc(self, owner_api: Caller):
        made = owner_api.post("/jobs", JOB)

        assert made.json["data"]["updated_at"] == "2027-01-05T12:00:00Z"


class TestRefusedRequests:
    @pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/jobs/", "/api/jobs/7"])
    def test_tells_an_unknown_address_in_json(self, owner_api: Caller, path: str):
        answer = owner_api.get(path)

        assert answer.status_code == 404
        assert error_of(answer)["code"] == "not_found"

    def test_names_the_methods_an_address_has(self, owner_api: Caller):
        answer = owner_api.put("/jobs", {})

        assert answer.status_code == 405
        assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))

    @pytest.mark.parametrize(
        "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", None]
    )
    def test_takes_nothing_but_json(self, owner_api: Caller, content_type: str | None):
        answer = send_raw(owner_api, json.dumps(JOB).encode(), content_type)

        assert answer.status_code == 415
        assert error_of(answer)["code"] == "not_json"

    def test_takes_no_form_where_no_body_is_needed(self, owner_api: Caller):
        made = owner_api.post("/jobs", JOB)

        answer = owner_api.open("POST", f"/jobs/{made.json['data']['id']}/run", data={"a": "b"})

        assert answer.status_code == 415

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b"nonsense",
            b'{"name": NaN}',
            b'{"name": 1e999}',
            b'{"name": 1' + b"0" * 5000 + b"}",
            b'{"name": "a", "name": "b"}',
            b'{"name": "\xff"}',
        ],
    )
    def test_refuses_what_parsers_read_differently(self, owner_api: Caller, data: bytes):
        answer = send_raw(owner_api, data)

        assert answer.status_code == 400
        assert error_of(answer)["code"] == "bad_request"

    @pytest.mark.parametrize(
        "data",
        [b"[" * 100_000, b'{"a":' * 40 + b"1" + b"}" * 40, b'{"name": "' + b"a" * (1024 * 1024) + b'"}'],
        ids=["endless", "deep", "large"],
    )
    def test_bounds_depth_and_size(self, owner_api: Caller, data: bytes):
        answer = send_raw(owner_api, data)

        assert answer.status_code == 413
        assert error_of(answer)["code"] == "too_large"

    def test_bounds_the_size_of_what_comes_in_chunks(self, owner_api: Caller):
        data = b'{"name": "New"}'.ljust(1024 * 1024) + b"and more"

        answer = owner_api.client.post(
            "/api/v1/organizations",
            input_stream=BytesIO(data),
            headers={"Authorization": f"Bearer {owner_api.token}", "Transfer-Encoding": "chunked"},
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
        )

        assert answer.status_code == 413
        assert [row["name"] for row in owner_api.get("/organizations").json["data"]] != ["New"]

    @pytest.mark.parametrize("letter", ["\0", "\ud800"])
    def test_refuses_what_no_database_takes(self, owner_api: Caller, letter: str):
        body = JOB | {"definition": {"ends": ["x", {"deep": f"a{letter}b"}]}}

        answer = send_raw(owner_api, json.dumps(body).encode())

        assert answer.status_code == 422
        assert list(fields_of(answer)) == ["definition.ends.1.deep"]


class TestFields:
    def test_names_every_field_that_is_wrong(self, owner_api: Caller):
        answer = owner_api.post("/jobs", {"name": "", "kind": "code", "tries": "5", "unknown": 1})

        assert answer.status_code == 422
        assert set(fields_of(answer)) == {"name", "definition", "tries", "unknown"}

    @pytest.mark.parametrize(
        "body",
        [
            {"name": [SECRET]},
            {"kind": SECRET},
            {"tries": SECRET},
            {"definition": SECRET},
            {"retry_backoff": SECRET},
            {"revision": SECRET},
        ],
        ids=lambda body: next(iter(body)),
    )
    def test_never_repeats_a_value(self, owner_api: Caller, body: dict[str, Any]):
        answer = owner_api.post("/jobs", JOB | body)

        assert answer.status_code == 422
        assert SECRET not in answer.text

    def test_never_repeats_the_value_of_a_parameter(self, owner_api: Caller):
        answer = owner_api.get("/runs", state=SECRET, job=SECRET, limit=SECRET, cursor=SECRET)

        assert set(fields_of(answer)) == {"state", "job", "limit"}
        assert SECRET not in answer.text

    def test_tells_every_problem_of_a_definition(self, owner_api: Caller):
        answer = owner_api.post("/jobs", JOB | {"definition": {}})

        assert answer.status_code == 422
        assert fields_of(answer) == {"ends": "Say how it ends."}

    @pytest.mark.parametrize("query", ["limit=1&limit=2", "unknown=1", "limit=0", "limit=1_0", "limit=5.0", "job=%00"])
    def test_refuses_parameters_that_mean_nothing_or_two_things(self, owner_api: Caller, query: str):
        answer = owner_api.get(f"/runs?{query}")

        assert answer.status_code == 422
        assert fields_of(answer)

    def test_takes_no_object_in_place_of_another_type(self, owner_api: Caller):
        assert fields_of(owner_api.post("/jobs", [])) == {"body": "Use an object."}


class TestFailures:
    def test_tells_a_reference_and_no_trace(self, owner_api: Caller, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("app.api.resources.jobs.read_jobs", _fail_with(RuntimeError(SECRET)))

        answer = owner_api.get("/jobs")

        assert answer.status_code == 500
        assert len(error_of(answer)["reference"]) == 8
        assert SECRET not in answer.text

    def test_keeps_nothing_of_a_command_that_failed(
        self, owner_api: Caller, monkeypatch: pytest.MonkeyPatch, database: OpenDatabase
    ):
        monkeypatch.setattr("app.api.resources.jobs.newest_job", _fail_with(Invalid("Too late.", field="name")))

        answer = owner_api.post("/jobs", JOB)

        assert fields_of(answer) == {"name": "Too late."}
        monkeypatch.undo()
        assert owner_api.get("/jobs").json["data"] == []


def _fail_with(error: Exception) -> Callable[..., Any]:
    def fail(*_args: Any, **_more: Any) -> Any:
        raise error

    return fail


@pytest.fixture
def app_without_tables(empty_settings: Settings) -> Iterator[Flask]:
    app = create_app(empty_settings, kinds={})
    yield app
    app.extensions["belfry"].database.dispose()


class TestWithoutTables:
    def test_says_that_the_database_is_not_ready(self, app_without_tables: Flask):
        token = "belfry_abcdefgh_" + "a" * 43

        answer = Caller(app_without_tables.test_client(), token=token).get("/jobs")

        assert answer.status_code == 503
        assert error_of(answer)["code"] == "unavailable"
        assert answer.headers["Retry-After"] == "5"

    def test_shows_the_document_all_the_same(self, app_without_tables: Flask):
        assert Caller(app_without_tables.test_client()).get("/openapi.json").status_code == 200
