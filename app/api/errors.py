"""Failures as JSON, whoever raised them. Which status each has is decided in edge.errors."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import RequestRedirect

from app.api.blueprint import PREFIX, api
from app.core.errors import Invalid
from app.edge.database import roll_back
from app.edge.errors import Failure, describe_failure
from app.edge.identity import SignInNeeded, TokenRefused
from app.edge.runtime import runtime
from app.jobs.kinds.base import DefinitionInvalid
from app.tenants.tries import TooManyTries

CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "not_json",
    422: "invalid",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
_MESSAGES = {
    400: "The body is no valid JSON object in UTF-8, so nothing was done.",
    404: "There is nothing at this address.",
    405: "This address does not do that. See the header Allow.",
    413: "That is too much at once: send 1 MiB at most, nested 32 levels deep at most.",
    415: "Send JSON, and say so: Content-Type: application/json.",
}
_RETRY_SECONDS = 5
_NOBODY = "Send an API token: Authorization: Bearer belfry_…. Browsers that are signed in need none."
_FORGED = "A browser's session needs the header X-CSRF-Token with the token of its page. Programs use an API token."


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one part of the input. The value itself is never repeated: it may be a secret."""

    field: str
    message: str


class InputInvalid(Invalid):
    """The request does not have the documented shape."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("The request cannot be accepted. See the fields.", field=self.problems[0].field)


def install_error_answers(app: Flask) -> None:
    """Answer as JSON also where no route was found. The blueprint's own failures are, wherever it is mounted."""
    app.before_request(_refuse_unrouted)


def answer_failure(error: Exception) -> Response:
    """The JSON that tells a failure, with the request's changes forgotten."""
    roll_back(runtime().requests)
    if isinstance(error, RequestRedirect):
        # Addresses are taken as they are written; programs that post would lose their body on the way.
        error = NotFound()
    failure = _describe(error)
    response = failure_response(failure, _problems_of(error, failure))
    _add_headers(response, error)
    return response


def failure_response(failure: Failure, problems: Iterable[FieldProblem] = ()) -> Response:
    """A failure in the envelope."""
    told: dict[str, Any] = {
        "code": CODES.get(failure.status) or HTTPStatus(failure.status).phrase.lower().replace(" ", "_"),
        "message": failure.message,
        "fields": [{"field": problem.field, "message": problem.message} for problem in problems],
    }
    if failure.reference is not None:
        told["reference"] = failure.reference
    return json_response({"success": False, "error": told}, failure.status)


def json_response(content: Any, status: int = 200) -> Response:
    """An answer of the API."""
    return Response(json.dumps(content, ensure_ascii=False, allow_nan=False), status, mimetype="application/json")


def _describe(error: Exception) -> Failure:
    if isinstance(error, CSRFError):
        return Failure(403, _FORGED)
    if isinstance(error, SignInNeeded) and not isinstance(error, TokenRefused):
        return Failure(401, _NOBODY)
    if isinstance(error, HTTPException) and error.code in _MESSAGES:
        return Failure(error.code, _MESSAGES[error.code])
    return describe_failure(error)


def _problems_of(error: Exception, failure: Failure) -> tuple[FieldProblem, ...]:
    if isinstance(error, InputInvalid):
        return error.problems
    if isinstance(error, DefinitionInvalid):
        return tuple(FieldProblem(field, message) for field, message in error.problems.items())
    return () if failure.field is None else (FieldProblem(failure.field, failure.message),)


def _add_headers(response: Response, error: Exception) -> None:
    if isinstance(error, SignInNeeded):
        wrong = ', error="invalid_token"' if isinstance(error, TokenRefused) else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="Belfry"{wrong}'
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.wait_seconds)
    elif response.status_code == 503:
        response.headers["Retry-After"] = str(_RETRY_SECONDS)
    if isinstance(error, HTTPException):
        response.headers.extend({name: text for name, text in error.get_headers() if name == "Allow"})


def _refuse_unrouted() -> Response | None:
    # No blueprint is asked about a request that matched no route, and the pages would answer it with HTML.
    is_ours = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
    return answer_failure(request.routing_exception) if is_ours and request.routing_exception else None


for _kind in (HTTPException, Exception):
    api.register_error_handler(_kind, answer_failure)
