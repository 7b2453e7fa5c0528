"""The built-in HTTP check, against a server on this machine."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from app.core.http import OutboundResponse
from app.jobs.kinds.base import Level
from app.jobs.kinds.code.context import FunctionContext, JobFailed
from app.jobs.kinds.code.http_check import HttpCheckArguments, http_check, problems_of_answer
from tests.conftest import make_settings
from tests.unit.jobs.conftest import WebServer


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def context(tmp_path: Any, lines: list[str]) -> FunctionContext:
    def write_line(text: str, _level: Level) -> None:
        lines.append(text)

    settings = make_settings(tmp_path, BELFRY_ALLOWED_PRIVATE_ADDRESSES="127.0.0.1")
    return FunctionContext(uuid4(), uuid4(), "key", settings, write_line, lambda *_: None)


def check(context: FunctionContext, url: str, **more: Any) -> Any:
    return http_check.call(context, HttpCheckArguments(url=url, **more))


def failure(context: FunctionContext, url: str, **more: Any) -> str:
    with pytest.raises(JobFailed) as failed:
        check(context, url, **more)
    return failed.value.message


def test_a_good_answer_is_measured(context: FunctionContext, web: WebServer, lines: list[str]) -> None:
    result = check(context, f"{web.url}/health?key=hush", body_contains="fine", max_latency_ms=30_000)

    assert (result["status"], result["bytes"]) == (200, 4)
    assert 0 <= result["latency_ms"] < 30_000
    assert lines[0].startswith(f"GET {web.url}/health answered 200 OK in")


def test_another_status_fails(context: FunctionContext, web: WebServer) -> None:
    web.status = 404

    assert failure(context, web.url) == f"GET {web.url}/ answered 404 Not Found, expected 200-299."


def test_a_missing_text_fails(context: FunctionContext, web: WebServer) -> None:
    assert failure(context, web.url, body_contains="ok") == f"GET {web.url}/ lacks the text “ok” in its answer."


def test_every_problem_is_told_with_its_measure() -> None:
    arguments = HttpCheckArguments(url="https://example.com", expected_status="201", max_latency_ms=2_000)
    response = OutboundResponse(200, (), b"", is_truncated=False, elapsed_seconds=2.4, url="https://example.com")

    found = list(problems_of_answer(arguments, response))

    assert found == ["answered 200 OK, expected 201", "took 2.4 s, allowed are 2 s"]


def test_head_asks_for_no_body(context: FunctionContext, web: WebServer) -> None:
    result = check(context, web.url, method="HEAD")

    assert (web.requests[0].method, result["bytes"]) == ("HEAD", 0)


def test_a_server_that_is_away_fails(context: FunctionContext) -> None:
    assert failure(context, "http://127.0.0.1:1025").startswith("GET http://127.0.0.1:1025/ got no answer. Nothing")


def test_a_forbidden_address_is_refused_in_words_and_not_tried_again(context: FunctionContext) -> None:
    with pytest.raises(JobFailed) as refused:
        check(context, "http://10.0.0.1/")

    assert refused.value.message.startswith("GET http://10.0.0.1/ was not sent. ")
    assert refused.value.retry is False


@pytest.mark.parametrize(
    "wrong", [{"url": "gopher://x"}, {"url": "http://x", "method": "HEAD", "body_contains": "a"}, {}]
)
def test_arguments_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HttpCheckArguments.model_validate(wrong)
