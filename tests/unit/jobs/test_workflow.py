"""Workflows: what a definition may say, what is sent, and how answers are judged."""

import json
from base64 import b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from app.core.addresses import parse_networks
from app.core.http import OutboundClient
from app.jobs.kinds.base import DefinitionInvalid, Level, OutcomeStatus, StopReason
from app.jobs.kinds.workflow.kind import WorkflowKind
from app.jobs.policies import ErrorClass
from tests.fakes.run_context import FakeRunContext
from tests.fakes.vault import SEALER
from tests.unit.jobs.conftest import WebServer

KIND = WorkflowKind(SEALER)


def workflow(**step: Any) -> dict[str, Any]:
    return {"steps": [{"url": "https://example.com/hook", **step}]}


class TestCheck:
    def test_the_stored_form_says_everything(self) -> None:
        stored = KIND.check(workflow(url=" https://example.com/hook ", expected_status="200 , 204"))

        assert stored["steps"] == [
            {
                "name": "Call",
                "method": "GET",
                "url": "https://example.com/hook",
                "headers": [],
                "body": "",
                "expected_status": "200, 204",
                "timeout_seconds": 30,
            }
        ]

    def test_it_takes_no_parameters(self) -> None:
        with pytest.raises(DefinitionInvalid) as refused:
            KIND.check_arguments(workflow(), {"days": 7})

        assert refused.value.problems == {"arguments.days": "A workflow takes no parameters. Leave them out."}
        assert KIND.check_arguments(workflow(), {}) == {}

    def test_the_stored_form_is_accepted_again(self) -> None:
        stored = KIND.check(workflow(method="POST", headers=[{"name": "X-Key", "value": "v"}], body="{}"))

        assert KIND.check(stored) == stored

    @pytest.mark.parametrize(
        ("definition", "field", "message"),
        [
            ({}, "steps", "“steps” is missing."),
            ({"steps": []}, "steps", "A workflow has exactly one step for now."),
            ({"steps": [{}]}, "steps.0.url", "“url” is missing."),
            (workflow(colour="red"), "steps.0.colour", "“colour” is not known here. Take it out."),
            (workflow(timeout_seconds=301), "steps.0.timeout_seconds", "“Seconds to wait for the answer” has to be"),
            (workflow(timeout_seconds="x"), "steps.0.timeout_seconds", "“Seconds to wait for the answer” has to"),
            (workflow(method="GET", body="x"), "steps.0", "A GET request carries no body."),
            (workflow(method="BREW"), "steps.0.method", "“method” has to be 'GET', 'POST', 'PUT'"),
            (workflow(url="ftp://example.com"), "steps.0.url", "Only addresses that begin with http://"),
            (workflow(expected_status="ok"), "steps.0.expected_status", "Write the expected statuses like"),
            (workflow(headers=[{"name": "Host", "value": "x"}]), "steps.0.headers.0.name", "The header Host is"),
            (workflow(headers=[{"name": "a b", "value": "x"}]), "steps.0.headers.0.name", "A header's name"),
        ],
    )
    def test_a_problem_is_told_at_its_field(self, definition: dict[str, Any], field: str, message: str) -> None:
        with pytest.raises(DefinitionInvalid) as refused:
            KIND.check(definition)

        assert refused.value.problems[field].startswith(message)

    def test_a_secret_is_not_repeated(self) -> None:
        header = {"name": "Authorization", "value": "Bearer hush\n"}

        with pytest.raises(DefinitionInvalid) as refused:
            KIND.check(workflow(headers=[header], body=7))

        assert "hush" not in str(refused.value)
        assert set(refused.value.problems) == {"steps.0.headers.0.value", "steps.0.body"}

    def test_a_description_leaves_the_query_out(self) -> None:
        assert KIND.describe(workflow(url="https://example.com/hook?token=hush")) == "GET https://example.com/hook"


class TestRun:
    def test_an_expected_answer_succeeds(self, web: WebServer) -> None:
        context = FakeRunContext()

        outcome = KIND.run(workflow(url=f"{web.url}/a?token=hush"), context)

        assert outcome.status is OutcomeStatus.SUCCEEDED
        assert outcome.result["steps"][0].items() >= {"name": "Call", "status": 200, "bytes": 4}.items()
        assert web.requests[0].path == "/a?token=hush"

    def test_the_log_says_what_happened_without_the_query(self, web: WebServer) -> None:
        context = FakeRunContext()

        KIND.run(workflow(url=f"{web.url}/a?token=hush"), context)

        assert context.lines[0].startswith(f"GET {web.url}/a answered 200 OK in ")
        assert context.lines[0].endswith(" ms, 4 bytes")

    def test_another_answer_fails_in_plain_words(self, web: WebServer) -> None:
        web.status, web.body = 503, b"down for maintenance " * 100

        outcome = KIND.run(workflow(url=f"{web.url}/a"), FakeRunContext())

        assert outcome.message == f"GET {web.url}/a answered 503 Service Unavailable; expected 200-299."
        assert outcome.detail is not None
        assert outcome.detail.startswith("down for maintenance")
        assert len(outcome.detail) <= 300

    def test_a_body_that_is_no_text_is_not_shown(self, web: WebServer) -> None:
        web.status, web.content_type = 500, "image/png"

        outcome = KIND.run(workflow(url=web.url), FakeRunContext())

        assert outcome.detail is None

    @pytest.mark.parametrize(
        ("status", "error_class"),
        [
            (401, ErrorClass.REFUSED),
            (429, ErrorClass.RATE_LIMITED),
            (500, ErrorClass.SERVER),
            (404, ErrorClass.REJECTED),
        ],
    )
    def test_an_answer_tells_what_kind_of_trouble_it_is(
        self, web: WebServer, status: int, error_class: ErrorClass
    ) -> None:
        web.status = status

        outcome = KIND.run(workflow(url=web.url), FakeRunContext())

        assert outcome.error_class is error_class

    @pytest.mark.parametrize(("status", "seconds"), [(429, 90), (503, 90), (500, None)])
    def test_an_answer_may_say_when_to_come_back(self, web: WebServer, status: int, seconds: int | None) -> None:
        web.status, web.more_headers = status, {"Retry-After": "90"}

        outcome = KIND.run(workflow(url=web.url), FakeRunContext())

        assert outcome.come_back_after == (None if seconds is None else timedelta(seconds=seconds))

    def test_no_answer_is_trouble_of_the_network(self, web: WebServer) -> None:
        web.is_silent = True

        outcome = KIND.run(workflow(url=web.url, timeout_seconds=1), FakeRunContext())

        assert outcome.error_class is ErrorClass.NETWORK

    def test_it_says_how_far_it_has_come(self, web: WebServer) -> None:
        context = FakeRunContext()

        KIND.run(workflow(url=web.url, name="Tell the shop"), context)

        assert context.said_progress == [(0, 1, "Tell the shop"), (1, 1, "Tell the shop")]

    def test_nothing_is_called_any_more_once_it_is_cancelled(self, web: WebServer) -> None:
        context = FakeRunContext(stop_with=StopReason.CANCELLED, stop_when=lambda _: True)

        outcome = KIND.run(workflow(url=web.url), context)

        assert (outcome.status, web.requests) == (OutcomeStatus.CANCELLED, [])

    def test_a_post_carries_the_key_of_the_run(self, web: WebServer) -> None:
        context = FakeRunContext()

        KIND.run(workflow(url=web.url, method="POST", body='{"a": 1}'), context)

        assert web.requests[0].headers["Idempotency-Key"] == context.idempotency_key
        assert web.requests[0].headers["Content-Type"] == "application/json"
        assert web.requests[0].body == b'{"a": 1}'

    def test_what_the_person_set_is_kept(self, web: WebServer) -> None:
        headers = [{"name": "idempotency-key", "value": "mine"}, {"name": "content-type", "value": "text/csv"}]

        KIND.run(workflow(url=web.url, method="POST", body="[1]", headers=headers), FakeRunContext())

        received = {name.lower(): value for name, value in web.requests[0].headers.items()}
        assert (received["idempotency-key"], received["content-type"]) == ("mine", "text/csv")

    def test_a_get_carries_no_key(self, web: WebServer) -> None:
        KIND.run(workflow(url=web.url), FakeRunContext())

        assert "Idempotency-Key" not in web.requests[0].headers

    def test_a_forbidden_address_is_not_tried_again(self, web: WebServer) -> None:
        context = FakeRunContext(http=OutboundClient(allowed_private=parse_networks("")))

        outcome = KIND.run(workflow(url=web.url), context)

        assert (outcome.status, outcome.may_retry) == (OutcomeStatus.FAILED, False)
        assert outcome.message.startswith(f"GET {web.url}/ was not sent. Requests to 127.0.0.1 are refused")
        assert (context.levels, web.requests) == ([Level.ERROR], [])

    def test_a_silent_server_is_given_up_at_the_time_limit_of_the_run(self, web: WebServer) -> None:
        web.is_silent = True

        outcome = KIND.run(workflow(url=web.url), FakeRunContext(seconds=0.3))

        assert outcome.status is OutcomeStatus.TIMED_OUT

    def test_a_silent_server_is_given_up_at_the_time_limit_of_the_step(self, web: WebServer) -> None:
        web.is_silent = True

        outcome = KIND.run(workflow(url=web.url, timeout_seconds=1), FakeRunContext())

        assert (outcome.status, outcome.may_retry) == (OutcomeStatus.FAILED, True)
        assert "within 1 seconds" in outcome.message

    @pytest.mark.parametrize("reason", [StopReason.LEASE_LOST, StopReason.WORKER_STOPPING])
    def test_nothing_is_sent_after_the_run_was_told_to_stop(self, web: WebServer, reason: StopReason) -> None:
        context = FakeRunContext(stop_with=reason, stop_when=lambda _lines: True)

        outcome = KIND.run(workflow(url=web.url), context)

        assert outcome.status is OutcomeStatus.STOPPED
        assert web.requests == []

    def test_a_stored_definition_that_fits_no_more_fails_for_good(self) -> None:
        outcome = KIND.run({"steps": "?"}, FakeRunContext())

        assert (outcome.status, outcome.may_retry) == (OutcomeStatus.FAILED, False)


class TestSecrets:
    SECRET = 'k3y/with "quotes" & more'

    @pytest.mark.parametrize(
        "echoed",
        [
            f"Bearer {SECRET}",
            SECRET,
            quote(SECRET, safe=""),
            b64encode(SECRET.encode()).decode(),
            b64encode(f"Bearer {SECRET}".encode()).decode(),
            json.dumps(SECRET),
            json.dumps(SECRET).replace("/", "\\/"),
            SECRET.replace("&", "&amp;").replace('"', "&quot;"),
            SECRET.replace("with", "wi\x1bth"),
        ],
    )
    def test_are_hidden_however_an_answer_repeats_them(self, web: WebServer, echoed: str) -> None:
        web.status, web.body = 401, f"no: {echoed}".encode()

        outcome = KIND.run(self.definition(web), FakeRunContext())

        assert outcome.detail is not None
        assert outcome.detail.strip('"=') in {"no: •••", 'no: "•••'}

    def test_are_hidden_where_the_text_is_cut(self, web: WebServer) -> None:
        web.status, web.body = 500, b"x" * 290 + self.SECRET.encode()

        outcome = KIND.run(self.definition(web), FakeRunContext())

        assert outcome.detail == "x" * 290 + "•••"

    def test_are_hidden_in_the_message_and_the_log(self, web: WebServer) -> None:
        web.status, context = 500, FakeRunContext()

        outcome = KIND.run(workflow(url=f"{web.url}/hush", headers=[{"name": "X-Key", "value": "hush"}]), context)

        assert outcome.message.startswith(f"GET {web.url}/••• answered 500")
        assert context.lines[0].startswith(f"GET {web.url}/••• answered 500")

    def test_that_are_too_short_to_be_any_leave_the_text_whole(self, web: WebServer) -> None:
        web.status, web.body = 500, b"there is no way"

        outcome = KIND.run(workflow(url=web.url, headers=[{"name": "X-Flag", "value": "no"}]), FakeRunContext())

        assert outcome.detail == "there is no way"

    def test_control_characters_of_an_answer_are_left_out(self, web: WebServer) -> None:
        web.status, web.body = 500, b"\x1b[2Jgone\r\n\tfor\x07 good\x00"

        outcome = KIND.run(workflow(url=web.url), FakeRunContext())

        assert outcome.detail == "[2Jgone\n\tfor good"

    def definition(self, web: WebServer) -> dict[str, Any]:
        return workflow(url=web.url, headers=[{"name": "Authorization", "value": f"Bearer {self.SECRET}"}])
